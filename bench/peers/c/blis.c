#include "peer.h"

#include <blis.h>
#include <stdio.h>
#include <stdlib.h>

// force chooses the best kernels: left to itself the library takes those of another machine where it does not know the processor.
// Older versions want a number, which means something else in each.
static void force(void) {
	arch_t arch = __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") ? BLIS_ARCH_SKX
		: __builtin_cpu_is("amd")                                                      ? BLIS_ARCH_ZEN3
		                                                                               : BLIS_ARCH_HASWELL;
	char number[16];
	snprintf(number, sizeof number, "%d", arch);
	setenv("BLIS_ARCH_TYPE", number, 1);
}

const char *describe(void) {
	static char s[256];
	force();
	bli_init();
	snprintf(s, sizeof s, "BLIS %s, kernels %s", bli_info_get_version_str(), bli_arch_string(bli_arch_query_id()));
	return s;
}

int prepare(int m, int k, int n, float beta, int threads) {
	bli_thread_set_num_threads(threads);
	return 1;
}

void multiply(int m, int k, int n, const float *a, const float *b, float beta, float *c) {
	float one = 1;
	bli_sgemm(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, m, n, k, &one, (float *)a, k, 1, (float *)b, n, 1, &beta, c, n, 1);
}
