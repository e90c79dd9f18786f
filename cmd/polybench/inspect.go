package main

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/model"
	"github.com/polytropon/polytropon/poly"
	"github.com/polytropon/polytropon/safetensors"
)

func inspect(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("inspect", flag.ContinueOnError)
	layer := flags.String("layer", "", "")
	if err := parse(flags, args, 1); err != nil {
		return err
	}
	if flags.Arg(0) == "" {
		return usageError("inspect needs a path")
	}
	path := flags.Arg(0)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	dir := os.DirFS(path)
	isAdapter := info.IsDir() && exists(dir, "adapter_config.json")
	if *layer != "" && !isAdapter {
		return usageError("-layer is of an adapter folder")
	}
	if !info.IsDir() {
		return inspectFile(w, path)
	}
	e, err := mat.NewEngine(mat.Options{Threads: 1})
	if err != nil {
		return err
	}
	defer e.Close()
	switch {
	case isAdapter:
		err = inspectAdapter(w, e, dir, *layer)
	case exists(dir, "config.json"):
		err = inspectModel(w, e, dir)
	default:
		err = fmt.Errorf("got a folder without adapter_config.json and config.json, want one of an adapter or of a model")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return err == nil
}

// inspectFile lists the tensors of a safetensors file.
func inspectFile(w io.Writer, path string) error {
	f, err := safetensors.Open(path)
	if err != nil && !strings.HasSuffix(path, ".safetensors") {
		return fmt.Errorf("%w (inspect takes a folder or a .safetensors file)", err)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	infos := make([]safetensors.Info, 0, len(f.Names()))
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		infos = append(infos, info)
	}
	printTensors(w, infos)
	meta := f.Metadata()
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		fmt.Fprintf(w, "metadata %q: %q\n", key, meta[key])
	}
	return nil
}

func printTensors(w io.Writer, infos []safetensors.Info) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "tensor\tdtype\tshape\tbytes")
	var bytes int64
	for _, i := range infos {
		fmt.Fprintf(t, "%s\t%s\t%v\t%d\n", printable(i.Name), i.DType, i.Shape, i.Size)
		bytes += i.Size
	}
	t.Flush()
	fmt.Fprintf(w, "%d tensors, %d parameters, %d bytes\n", len(infos), parameters(infos), bytes)
}

// printable returns a name from a file as a terminal may show it.
func printable(name string) string {
	if q := fmt.Sprintf("%q", name); q != `"`+name+`"` || name == "" {
		return q
	}
	return name
}

func parameters(infos []safetensors.Info) int64 {
	var n int64
	for _, i := range infos {
		elements := int64(1)
		for _, d := range i.Shape {
			elements *= int64(d)
		}
		n += elements
	}
	return n
}

func inspectModel(w io.Writer, e *mat.Engine, dir fs.FS) error {
	m, err := model.OpenFS(dir, e)
	if err != nil {
		return err
	}
	a := m.Architecture()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	kind, layers := "encoder-decoder", fmt.Sprintf("%d encoder, %d decoder", a.EncoderLayers, a.DecoderLayers)
	if a.EncoderLayers == 0 {
		kind, layers = "decoder-only", fmt.Sprint(a.DecoderLayers)
	}
	fmt.Fprintf(t, "architecture\t%s, %s\n", a.Type, kind)
	fmt.Fprintf(t, "vocabulary\t%d\n", a.Vocabulary)
	fmt.Fprintf(t, "d_model\t%d\n", a.Dim)
	fmt.Fprintf(t, "layers\t%s\n", layers)
	heads := fmt.Sprintf("%d of %d", a.Heads, a.HeadSize)
	if a.KVHeads != a.Heads {
		heads += fmt.Sprintf(", %d of keys and values", a.KVHeads)
	}
	fmt.Fprintf(t, "heads\t%s\n", heads)
	fmt.Fprintf(t, "feed-forward\t%d, %s\n", a.Inner, printable(a.FeedForward))
	if a.Buckets > 0 {
		fmt.Fprintf(t, "relative attention\t%d buckets up to distance %d\n", a.Buckets, a.MaxDistance)
	}
	if a.Rope != "" {
		fmt.Fprintf(t, "rope\t%s\n", a.Rope)
	}
	if a.MaxPositions > 0 {
		fmt.Fprintf(t, "made for\tup to %d tokens\n", a.MaxPositions)
	}
	if a.WindowLayers > 0 {
		fmt.Fprintf(t, "sliding window\t%d, in %d of %d layers\n", a.Window, a.WindowLayers, a.DecoderLayers)
	}
	head := "of its own"
	if a.TiedHead {
		head = "tied to the embedding"
	}
	if a.ScaledOutputs {
		head += ", outputs scaled by d_model^-0.5"
	}
	fmt.Fprintf(t, "head\t%s\n", head)
	fmt.Fprintf(t, "parameters\t%d\n", a.Parameters)
	return t.Flush()
}

func inspectAdapter(w io.Writer, e *mat.Engine, dir fs.FS, layer string) error {
	d, err := poly.Inspect(dir)
	if err != nil {
		return err
	}
	weights, err := d.Weights(e, layer)
	if err != nil {
		return err
	}
	config, err := d.Config.Marshal()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\n", config)
	if unknown := d.Config.Unknown(); len(unknown) > 0 {
		for i, key := range unknown {
			unknown[i] = printable(key)
		}
		fmt.Fprintf(w, "\nunknown keys in the config: %s\n", strings.Join(unknown, ", "))
	}
	fmt.Fprintf(w, "\n%d adapted modules\n", len(d.Paths))
	for _, p := range d.Paths {
		fmt.Fprintf(w, "  %s\n", printable(p))
	}
	own := slices.DeleteFunc(slices.Clone(d.Tensors), func(i safetensors.Info) bool { return slices.Contains(d.Strangers, i.Name) })
	fmt.Fprintf(w, "%d parameters in %d tensors", parameters(own), len(own))
	if len(d.Saved) > 0 {
		fmt.Fprintf(w, ", of them %d in %d tensors of modules_to_save", parameters(d.Saved), len(d.Saved))
	}
	if len(d.Base) > 0 {
		fmt.Fprintf(w, ", and %d in %d tensors in place of the base model's", parameters(d.Base), len(d.Base))
	}
	fmt.Fprintln(w)
	if len(d.Strangers) > 0 {
		fmt.Fprintf(w, "%d tensors that belong to nobody\n", len(d.Strangers))
		for _, s := range d.Strangers {
			fmt.Fprintf(w, "  %s\n", printable(s))
		}
	}
	printWeights(w, d.Config, weights, layer)
	return nil
}

// printWeights prints how tasks mix skills, a line per task and split.
func printWeights(w io.Writer, c *poly.Config, weights mat.Matrix, layer string) {
	if layer == "" {
		layer = "mean of all modules"
	}
	fmt.Fprintf(w, "\nweights of the skills, %s\n", layer)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "task\tsplit\t")
	for s := range c.NSkills {
		fmt.Fprintf(t, "skill %d\t", s)
	}
	fmt.Fprintln(t)
	for task := range c.NTasks {
		for q := range c.NSplits {
			fmt.Fprintf(t, "%d\t%d\t", task, q)
			for _, x := range weights.Row(task)[q*c.NSkills : (q+1)*c.NSkills] {
				fmt.Fprintf(t, "%.3f\t", x)
			}
			fmt.Fprintln(t)
		}
	}
	t.Flush()
}
