//go:build !unix && !windows

package safetensors

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// mapFile fails: this platform cannot map files.
func mapFile(*os.File, int64) (data []byte, unmap func() error, err error) {
	return nil, nil, fmt.Errorf("not possible on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
