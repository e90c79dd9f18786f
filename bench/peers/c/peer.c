// The line protocol of a peer, for C libraries. README.md describes it.

#include "peer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// A job is the products of one line: count times m×k by k×n.
typedef struct {
	int threads, m, k, n, count;
	float beta;
	float *a, *b, *c;
} job;

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

// operand returns n values on a cache line's boundary. Every peer makes the same ones.
static float *operand(size_t n, uint32_t seed) {
	float *x;
	if (posix_memalign((void **)&x, 64, n * sizeof *x)) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t h = (uint32_t)i * 2654435761u + seed * 2246822519u;
		h = (h ^ h >> 15) * 739982445u;
		x[i] = (float)(h >> 8) / 16777216 - 0.5f;
	}
	return x;
}

static size_t size(const job *j) { return (size_t)j->count * j->m * j->n; }

// run does all products once. A group is shared among the threads product by product: no library here takes it as one call.
static void run(const job *j) {
	size_t a = (size_t)j->m * j->k, b = (size_t)j->k * j->n, c = (size_t)j->m * j->n;
#pragma omp parallel for schedule(static) num_threads(j->threads) if (j->count > 1 && j->threads > 1)
	for (int g = 0; g < j->count; g++)
		multiply(j->m, j->k, j->n, j->a + g * a, j->b + g * b, j->beta, j->c + g * c);
}

// seconds returns how long one repetition takes, over at least 5 ms. The first is not counted, or the only one if it takes a second.
static double seconds(const job *j) {
	double start = now();
	run(j);
	double t = now() - start;
	if (t >= 1)
		return t;
	for (long n = 1;; n *= 2) {
		start = now();
		for (long i = 0; i < n; i++)
			run(j);
		t = now() - start;
		if (t >= 5e-3)
			return t / n;
	}
}

int main(void) {
	char line[256], last[256] = "";
	job j = {0};
	while (fgets(line, sizeof line, stdin)) {
		char verb[8];
		int offset;
		if (!strcmp(line, "describe\n")) {
			printf("%s\n", describe());
		} else if (sscanf(line, "%7s %n", verb, &offset) == 1) {
			job next = {0};
			if (sscanf(line + offset, "%d gemm %d %d %d %d %f", &next.threads, &next.m, &next.k, &next.n, &next.count, &next.beta) != 6) {
				printf("skip only products\n");
			} else if (!prepare(next.m, next.k, next.n, next.beta, next.count > 1 ? 1 : next.threads)) {
				printf("skip no kernel of this shape\n");
			} else {
				int check = !strcmp(verb, "check");
				if (check || strcmp(line + offset, last)) {
					free(j.a), free(j.b), free(j.c);
					j = next;
					j.a = operand((size_t)j.count * j.m * j.k, 1);
					j.b = operand((size_t)j.count * j.k * j.n, 2);
					j.c = operand(size(&j), 3);
					strcpy(last, line + offset);
				}
				if (check) {
					run(&j);
					printf("%zu\n", size(&j));
					fwrite(j.c, sizeof *j.c, size(&j), stdout);
				} else {
					printf("%.9g\n", seconds(&j));
				}
			}
		}
		fflush(stdout);
	}
}
