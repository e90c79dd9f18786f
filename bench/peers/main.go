// Command peers measures this project against the libraries that do the same work, sample by sample in turn.
//
// It is run by run.sh, which installs and builds the peers. README.md says how to read what it prints.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/polytropon/polytropon/mat"
)

// options are the flags of the command line.
type options struct {
	rows, peers, threads string
	samples              int
	json, list           bool
	build, python        string
}

func main() {
	var o options
	flag.StringVar(&o.rows, "rows", "", "measure the rows whose kind and shape this regular expression matches (default: all)")
	flag.StringVar(&o.peers, "peers", "", "compare with the peers whose names this regular expression matches (default: all)")
	flag.StringVar(&o.threads, "threads", "1,2", "numbers of threads")
	flag.IntVar(&o.samples, "samples", 15, "samples of each peer")
	flag.BoolVar(&o.json, "json", false, "print JSON, one object per line")
	flag.BoolVar(&o.list, "list", false, "list the rows")
	flag.StringVar(&o.build, "build", "build", "folder of the peers written in C")
	flag.StringVar(&o.python, "python", "python3", "Python with PyTorch, transformers and PEFT")
	be := flag.String("be", "", "be the peer gonum or gomlx (the command starts itself so)")
	flag.Parse()
	var err error
	if lib, ok := golibs[*be]; ok {
		err = lib.serve(os.Stdin, os.Stdout)
	} else {
		err = run(o)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "peers: %v\n", err)
		os.Exit(1)
	}
}

func run(o options) error {
	pattern, err1 := regexp.Compile(o.rows)
	names, err2 := regexp.Compile(o.peers)
	counts, err3 := numbers(o.threads)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if o.samples < 1 {
		return fmt.Errorf("-samples: got %d, want a positive number", o.samples)
	}
	folder, err := os.MkdirTemp("", "peers")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	var chosen []row
	for _, r := range rows(folder) {
		if pattern.MatchString(r.name()) {
			chosen = append(chosen, r)
		}
	}
	if o.list {
		for _, r := range chosen {
			fmt.Println(r.name())
		}
		return nil
	}
	peers, err := startPeers(names, o.build, o.python)
	if err != nil {
		return err
	}
	out := newPrinter(os.Stdout, o.json, peers)
	wrong := 0
	for _, n := range counts {
		w, err := measureAll(chosen, n, peers, o.samples, out)
		if err != nil {
			return err
		}
		wrong += w
	}
	if wrong > 0 {
		return fmt.Errorf("%d results of peers differ from ours", wrong)
	}
	return nil
}

// measureAll measures rows with a number of threads and returns how many results of peers were wrong.
func measureAll(rows []row, threads int, peers []*peer, samples int, out *printer) (wrong int, err error) {
	e, err := mat.NewEngine(mat.Options{Threads: threads})
	if err != nil {
		return 0, err
	}
	defer e.Close()
	out.heading(e)
	for _, r := range rows {
		res, err := measure(r, e, peers, samples)
		if err != nil {
			return 0, fmt.Errorf("%s, %d threads: %w", r.name(), threads, err)
		}
		out.result(res)
		wrong += res.wrong()
	}
	return wrong, nil
}

// numbers parses a list of positive numbers with commas between them.
func numbers(s string) ([]int, error) {
	var all []int
	for word := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-threads: got %q, want positive numbers with commas between them", s)
		}
		all = append(all, n)
	}
	return all, nil
}
