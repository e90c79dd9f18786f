// What a library must give to be a peer. One library is linked with peer.c into one program.

// describe names the library, its version and the kernels it chose.
const char *describe(void);

// prepare is called before products of a shape, with the number of threads they may use. It returns 0 where the library has no product
// of that shape.
int prepare(int m, int k, int n, float beta, int threads);

// multiply sets c = a·b + beta·c, row-major, m×k by k×n, beta 0 or 1. Where prepare allowed one thread it is called from several.
void multiply(int m, int k, int n, const float *a, const float *b, float beta, float *c);
