package poly

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/polytropon/polytropon/mat"
	"github.com/polytropon/polytropon/safetensors"
)

// A Folder is what an adapter folder says by itself, without the base model.
type Folder struct {
	Config    *Config
	Tensors   []safetensors.Info // all of them, sorted by name
	Paths     []string           // the adapted modules, sorted
	Saved     []safetensors.Info // the tensors of modules_to_save
	Base      []safetensors.Info // other parameters of the base model, which are used in place of its own: embeddings and a head as a rule
	Strangers []string           // keys of tensors that belong to nothing above
	routers   []Router           // of Paths
}

// Inspect reads an adapter folder and checks its tensors against its config, as far as that can be done without the base model.
func Inspect(fsys fs.FS) (_ *Folder, err error) {
	config, f, err := openFolder(fsys)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	d := &Folder{Config: config}
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		d.Tensors = append(d.Tensors, info)
		path, known := strings.CutPrefix(name, keyPrefix)
		layer, suffix := cutPart(path)
		switch {
		case known && (suffix == suffixB || suffix == suffixZ) && has(f, keyPrefix+layer+suffixA): // of a layer that its A stands for
		case known && suffix != "":
			if err := d.addLayer(f, layer); err != nil {
				return nil, err
			}
		case known && d.isSaved(path):
			d.Saved = append(d.Saved, info)
		case known && !strings.Contains(path, ".poly_"):
			d.Base = append(d.Base, info)
		default:
			d.Strangers = append(d.Strangers, name)
		}
	}
	if len(d.Paths) == 0 {
		return nil, fmt.Errorf("poly: no tensor %s<module>%s, want at least one", keyPrefix, suffixA)
	}
	return d, nil
}

// cutPart returns the path of the adapted layer that a tensor is a part of, and which part; "" where it is none, as of another adapter: then its name is in
// the key.
func cutPart(path string) (layer, suffix string) {
	for _, suffix := range []string{suffixA, suffixB, suffixZ} {
		if layer, ok := strings.CutSuffix(path, suffix); ok {
			return layer, suffix
		}
	}
	return path, ""
}

// isSaved tells whether path is a parameter of a module whose path ends with an item of modules_to_save.
func (d *Folder) isSaved(path string) bool {
	return !strings.Contains(path, ".poly_") &&
		slices.ContainsFunc(d.Config.ModulesToSave, func(item string) bool { return strings.Contains(path, item+".") })
}

// addLayer checks the three tensors of an adapted layer, and reads its router.
func (d *Folder) addLayer(f *safetensors.File, path string) error {
	c := d.Config
	for _, part := range []struct {
		suffix string
		want   []int // 0 is any size
	}{
		{suffixA, []int{c.NSplits, c.NSkills, 0, c.R}},
		{suffixB, []int{c.NSplits, c.NSkills, c.R, 0}},
		{suffixZ, []int{c.NTasks, c.NSplits * c.NSkills}},
	} {
		key := keyPrefix + path + part.suffix
		info, ok := f.Info(key)
		if !ok {
			return fmt.Errorf("poly: tensor %s is missing", key)
		}
		same := slices.EqualFunc(info.Shape, part.want, func(got, want int) bool { return got == want || want == 0 && got > 0 })
		if !same {
			return fmt.Errorf("poly: tensor %s: got shape %v, want %s", key, info.Shape, strings.ReplaceAll(fmt.Sprint(part.want), " 0", " any"))
		}
	}
	t, err := f.Tensor(keyPrefix + path + suffixZ)
	if err != nil {
		return fmt.Errorf("poly: %w", err)
	}
	logits, err := t.Float32s()
	if err != nil {
		return fmt.Errorf("poly: %w", err)
	}
	d.Paths = append(d.Paths, path)
	d.routers = append(d.routers, Router{Tasks: c.NTasks, Splits: c.NSplits, Skills: c.NSkills, Logits: logits})
	return nil
}

// Weights returns how the tasks mix the skills, Tasks × (Splits·Skills), for the adapted module of the given path, or the mean over all
// adapted modules where path is empty.
func (d *Folder) Weights(e *mat.Engine, path string) (mat.Matrix, error) {
	c := d.Config
	sum := mat.New(c.NTasks, c.NSplits*c.NSkills)
	n := 0
	for i, r := range d.routers {
		if path != "" && d.Paths[i] != path {
			continue
		}
		n++
		for t := range c.NTasks {
			w := r.Weights(e, t)
			row := mat.View(sum.Row(t), w.Rows, w.Cols)
			e.Add(row, row, w)
		}
	}
	if n == 0 {
		return mat.Matrix{}, fmt.Errorf("poly: module %s is not adapted by this folder", path)
	}
	e.Scale(sum, sum, 1/float32(n))
	return sum, nil
}
