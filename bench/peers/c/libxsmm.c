#include "peer.h"

#include <libxsmm.h>
#include <stdio.h>

// The kernel of the shape, which computes rows of c at a time, and how many threads share them.
static libxsmm_smmfunction kernel;
static int rows, shares;

const char *describe(void) {
	static char s[256];
	libxsmm_init();
	snprintf(s, sizeof s, "libxsmm %s, kernels %s", LIBXSMM_VERSION, libxsmm_get_target_arch());
	return s;
}

// A kernel is straight-line code for small shapes and does not block for caches: nobody would use one beyond 512³.
int prepare(int m, int k, int n, float beta, int threads) {
	if ((long)m * k * n > 512L * 512 * 512)
		return 0;
	shares = m % threads ? 1 : threads;
	rows = m / shares;
	float alpha = 1;
	int prefetch = LIBXSMM_PREFETCH_NONE;
	kernel = libxsmm_smmdispatch(n, rows, k, &n, &k, &n, &alpha, &beta, NULL, &prefetch);
	return kernel != NULL;
}

// The library is column-major: it computes cᵀ = bᵀ·aᵀ.
void multiply(int m, int k, int n, const float *a, const float *b, float beta, float *c) {
#pragma omp parallel for schedule(static) num_threads(shares) if (shares > 1)
	for (int i = 0; i < shares; i++)
		kernel(b, a + (size_t)i * rows * k, c + (size_t)i * rows * n);
}
