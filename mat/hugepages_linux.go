package mat

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages behind b, which nothing has used yet. Where there are none, b is as good as before.
func adviseHuge(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
