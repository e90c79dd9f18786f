package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// A peer ends when the thread that started it ends, and the main thread lasts.
func init() { runtime.LockOSThread() }

// startPeers starts the peers whose names match; those that cannot be had say why.
func startPeers(names *regexp.Regexp, build, python string) ([]*peer, error) {
	defer runtime.UnlockOSThread()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program := func(name string) []string { return []string{filepath.Join(build, name)} }
	openblas, blis := kernels()
	// When a peer goes on, the system may put two threads that wait for each other on the same core. OpenMP can bind each to its own;
	// OpenBLAS has threads of its own, which would all get the first one's core.
	const bind = "OMP_PROC_BIND=true"
	var peers []*peer
	for _, x := range []struct {
		name, kernels string // kernels that the description must name, where the library would choose others
		command, env  []string
	}{
		{"openblas", openblas, program("openblas"), []string{"OPENBLAS_CORETYPE=" + openblas}},
		{"blis", blis, program("blis"), []string{bind}},
		{"onednn", "", program("onednn"), []string{bind}},
		{"libxsmm", "", program("libxsmm"), []string{bind}},
		// Memory that is returned to the system and comes back as new pages would cost PyTorch more than the work.
		{"torch", "", []string{python, "python/torch_peer.py"}, []string{bind, "GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184"}},
		{"llamacpp", "", []string{python, "python/llamacpp.py"}, nil},
		{"gonum", "", []string{self, "-be", "gonum"}, nil},
		{"gomlx", "", []string{self, "-be", "gomlx"}, nil},
	} {
		if !names.MatchString(x.name) {
			continue
		}
		p := startPeer(x.name, append(environment(), x.env...), x.command)
		if p.missing == "" && !strings.HasSuffix(p.description, x.kernels) {
			p.missing = fmt.Sprintf("%s, want %s", p.description, x.kernels)
		}
		peers = append(peers, p)
	}
	return peers, nil
}

// kernels names the best ones that OpenBLAS and BLIS have for this machine: left to themselves they take slow ones where they do not
// know the processor. c/blis.c asks for the same.
func kernels() (openblas, blis string) {
	switch {
	case cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL):
		return "SkylakeX", "skx"
	case cpuid.CPU.VendorID == cpuid.AMD:
		return "Zen", "zen3"
	default:
		return "Haswell", "haswell"
	}
}

// environment returns ours without what tunes a peer: a setting left from other work must not decide a comparison.
func environment() []string {
	tunes := regexp.MustCompile(`^(OPENBLAS|GOTO|BLIS|DNNL|ONEDNN|LIBXSMM|MKL|OMP|GOMP|KMP|ATEN|TORCH|GLIBC)_`)
	return slices.DeleteFunc(os.Environ(), tunes.MatchString)
}
