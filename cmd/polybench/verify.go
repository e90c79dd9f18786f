package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

// errFailed says that the command ran and what it checked failed; the details have been printed.
var errFailed = errors.New("verification failed")

func verify(ctx context.Context, args []string, w io.Writer) error {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	base := flags.String("model", "", "")
	adapter := flags.String("adapter", "", "")
	second := flags.String("second", "", "")
	ref := flags.String("reference", "", "")
	asJSON := flags.Bool("json", false, "")
	options := engineFlags(flags)
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	if *base == "" || *adapter == "" || *ref == "" {
		return usageError("verify needs -model, -adapter and -reference")
	}
	e, err := newEngine(options)
	if err != nil {
		return err
	}
	defer e.Close()
	c := folders{model: folderAt(*base), adapter: folderAt(*adapter), reference: folderAt(filepath.Dir(*ref)), file: filepath.Base(*ref)}
	if *second != "" {
		c.second = folderAt(*second)
	}
	checks, err := c.verify(ctx, e)
	if err != nil {
		return err
	}
	return report(w, checks, *asJSON)
}

// folders is what a verification reads.
type folders struct {
	model, adapter, reference folder
	second                    folder // the zero folder where there is none
	file                      string // the reference's name
}

// A folder has the name that errors give it.
type folder struct {
	fsys fs.FS
	name string
}

func folderAt(path string) folder { return folder{os.DirFS(path), path} }

// verify opens everything and runs the checks that the reference has tensors for.
func (c folders) verify(ctx context.Context, e *mat.Engine) ([]check, error) {
	m, err := model.OpenFS(c.model.fsys, e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.model.name, err)
	}
	a, err := poly.OpenFS(c.adapter.fsys, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.adapter.name, err)
	}
	var b *poly.Adapter
	if c.second.fsys != nil {
		if b, err = poly.OpenFS(c.second.fsys, m); err != nil {
			return nil, fmt.Errorf("%s: %w", c.second.name, err)
		}
	}
	f, err := safetensors.OpenFS(c.reference.fsys, c.file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.reference.name, err)
	}
	defer f.Close()
	r, err := readReference(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(c.reference.name, c.file), err)
	}
	v := verifier{m, a, b, r}
	return v.run(ctx)
}

// A check is one comparison with the reference.
type check struct {
	Name     string `json:"check"`
	OK       *bool  `json:"ok"` // nil: this build can't run it
	MaxAbs   number `json:"max_abs"`
	MaxRel   number `json:"max_rel"`
	Elements int    `json:"elements"`
	SHA256   string `json:"sha256,omitempty"`
	Worst    string `json:"worst,omitempty"` // of many tensors compared in one check, the one that is furthest off
	Reason   string `json:"reason,omitempty"`
}

// A number is a float64 that JSON can hold: what is not finite becomes null.
type number float64

func (x number) MarshalJSON() ([]byte, error) {
	if f := float64(x); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return json.Marshal(f)
	}
	return []byte("null"), nil
}

// summary is the last line of the output.
type summary struct {
	Result      string `json:"result"`
	Passed      int    `json:"passed"`
	Failed      int    `json:"failed"`
	Unsupported int    `json:"unsupported"`
}

func summarize(checks []check) summary {
	s := summary{Result: "ok"}
	for _, c := range checks {
		switch {
		case c.OK == nil:
			s.Unsupported++
		case *c.OK:
			s.Passed++
		default:
			s.Failed++
			s.Result = "failed"
		}
	}
	return s
}

// report prints the checks, and returns errFailed where one failed.
func report(w io.Writer, checks []check, asJSON bool) error {
	s := summarize(checks)
	if asJSON {
		if err := encodeLines(w, checks); err != nil {
			return err
		}
		if err := json.NewEncoder(w).Encode(s); err != nil {
			return err
		}
	} else {
		printChecks(w, checks)
		fmt.Fprintf(w, "%s: %d passed, %d failed, %d unsupported\n", s.Result, s.Passed, s.Failed, s.Unsupported)
	}
	if s.Failed > 0 {
		return errFailed
	}
	return nil
}

func printChecks(w io.Writer, checks []check) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "check\tresult\tmax abs\tmax rel\telements\tsha256\tworst tensor or reason")
	for _, c := range checks {
		switch {
		case c.OK != nil && c.SHA256 == "": // nothing was computed
			fmt.Fprintf(t, "%s\tFAILED\t\t\t\t\t%s\n", c.Name, cmp.Or(c.Worst, c.Reason))
		case c.OK == nil:
			fmt.Fprintf(t, "%s\tunsupported\t\t\t\t\t%s\n", c.Name, c.Reason)
		default:
			result := "ok"
			if !*c.OK {
				result = "FAILED"
			}
			fmt.Fprintf(t, "%s\t%s\t%.3g\t%.3g\t%d\t%.16s…\t%s\n", c.Name, result, float64(c.MaxAbs), float64(c.MaxRel), c.Elements, c.SHA256, cmp.Or(c.Worst, c.Reason))
		}
	}
	t.Flush()
}
