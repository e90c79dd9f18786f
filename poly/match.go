package poly

import (
	"fmt"
	"slices"
	"strings"

	"github.com/polytropon/polytropon/nn"
)

// Match is what a config means for a base model.
type Match struct {
	Adapted  []string // the paths of the layers that get an adapter, in the model's order
	Excluded []string // what ExcludeModules and ModulesToSave took out. If it is empty, ExcludeModules had no effect, of which PEFT warns

	// TargetModules is what PEFT saves as target_modules: the default in place of null, full paths in place of "all-linear".
	TargetModules Modules
}

// Targets finds the layers to adapt among all modules of a base model, by the rules of PEFT's check_target_module_exists and
// inject_adapter (tuners/tuners_utils.py). modules and modelType are what the [Base] returns.
//
// The errors are PEFT's: no default for modelType, no match at all, nothing left after exclusion, a match on a module that is not linear.
// "dummy-target-modules" permits no match and matches nothing. A layer that is adapted and also part of a module to save is an error,
// as in PEFT, but in [Format082] it is saved and not adapted, as PEFT 0.8.2 does.
func (c *Config) Targets(modules []nn.Module, modelType string) (*Match, error) {
	targets, err := c.resolveTargets(modules, modelType)
	if err != nil {
		return nil, err
	}
	match := &Match{TargetModules: targets}
	if p, ok := targets.Pattern(); ok && p == "dummy-target-modules" {
		return match, nil
	}
	saved, err := c.SavedModules(modules)
	if err != nil {
		return nil, err
	}
	excludes, err := c.excluder(saved)
	if err != nil {
		return nil, err
	}
	isTarget, err := targets.matcher()
	if err != nil {
		return nil, fmt.Errorf("poly: config: target_modules: %w", err)
	}
	unmatched := 0
	for _, m := range modules {
		if m.Path == "" {
			continue
		}
		if excluded, err := excludes(m.Path); err != nil {
			return nil, err
		} else if excluded {
			match.Excluded = append(match.Excluded, m.Path)
			continue
		}
		matched, err := isTarget(m.Path)
		switch {
		case err != nil:
			return nil, fmt.Errorf("poly: config: target_modules: %w", err)
		case !matched:
			unmatched++
		case !isLinear(m):
			got := fmt.Sprintf("%v, which matches %q of type %s", targets, m.Path, m.Type)
			return nil, &ConfigError{"target_modules", got, "matches on modules of type Linear only"}
		case isWithin(m.Path, saved):
			got := fmt.Sprintf("%v, which matches %q of modules_to_save %q", targets, m.Path, c.ModulesToSave)
			return nil, &ConfigError{"target_modules", got, "a module to be either adapted or saved"}
		default:
			match.Adapted = append(match.Adapted, m.Path)
		}
	}
	if len(match.Adapted) == 0 {
		return nil, noMatch(targets, len(match.Excluded), unmatched)
	}
	return match, nil
}

// resolveTargets returns the target modules with the default and "all-linear" filled in.
func (c *Config) resolveTargets(modules []nn.Module, modelType string) (Modules, error) {
	targets := c.TargetModules
	if targets.IsNull() {
		var ok bool
		if targets, ok = defaultTargets[modelType]; !ok {
			return Modules{}, &ConfigError{"target_modules", "null", fmt.Sprintf("names or a pattern: model type %q has no default", modelType)}
		}
	}
	if p, ok := targets.Pattern(); !ok || !strings.EqualFold(p, "all-linear") {
		return targets, nil
	}
	paths := []string{}
	for _, m := range modules {
		if isLinear(m) && !m.Output && m.Path != "" {
			paths = append(paths, m.Path)
		}
	}
	return ModuleNames(paths...), nil
}

// excluder returns the test whether a path must not be adapted, given the modules to save.
func (c *Config) excluder(saved []string) (func(path string) (bool, error), error) {
	var tests []func(path string) (bool, error)
	if c.Format == Format082 {
		tests = append(tests, func(path string) (bool, error) { return isWithin(path, saved), nil })
	} else if len(c.ModulesToSave) > 0 {
		patterns := make([]string, len(c.ModulesToSave))
		for i, name := range c.ModulesToSave {
			patterns[i] = `(^|.*\.)` + name + `($|\..*)`
		}
		re, err := compileMatch(patterns)
		if err != nil {
			return nil, fmt.Errorf("poly: config: modules_to_save: %w", err)
		}
		tests = append(tests, re.match)
	}
	if !c.ExcludeModules.isEmpty() {
		isExcluded, err := c.ExcludeModules.matcher()
		if err != nil {
			return nil, fmt.Errorf("poly: config: exclude_modules: %w", err)
		}
		tests = append(tests, isExcluded)
	}
	return func(path string) (bool, error) {
		for _, test := range tests {
			if ok, err := test(path); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}, nil
}

// noMatch returns the error for a config that adapts nothing.
func noMatch(targets Modules, excluded, unmatched int) error {
	got := fmt.Sprintf("%v, ", targets)
	switch {
	case excluded > 0 && unmatched == 0:
		got += "of which every module was excluded by exclude_modules or modules_to_save"
	case excluded > 0:
		got += fmt.Sprintf("which adapts none of the modules: %d did not match, %d were excluded by exclude_modules or modules_to_save", unmatched, excluded)
	case targets.isEmpty():
		got += "which is empty"
	default:
		got += fmt.Sprintf("not found among the base model's %d modules", unmatched)
	}
	return &ConfigError{"target_modules", got, "at least one module to adapt"}
}

// SavedModules returns the paths of the modules that are trained and saved whole, in the model's order: those whose path ends with an
// item of ModulesToSave, at any character and not only behind a dot (_set_trainable of PEFT's utils/other.py). Of nested matches it
// returns the outermost, whose parameters include the others'. PEFT refuses containers, which have no forward pass; so does this.
func (c *Config) SavedModules(modules []nn.Module) ([]string, error) {
	var matched []string
	for _, m := range modules {
		if !slices.ContainsFunc(c.ModulesToSave, func(item string) bool { return strings.HasSuffix(m.Path, item) }) {
			continue
		}
		if slices.Contains([]string{"ModuleList", "ModuleDict", "ParameterList", "ParameterDict"}, m.Type) {
			got := fmt.Sprintf("%q, which match %q of type %s", c.ModulesToSave, m.Path, m.Type)
			return nil, &ConfigError{"modules_to_save", got, "modules with a forward pass"}
		}
		matched = append(matched, m.Path)
	}
	var outermost []string
	for _, path := range matched {
		if !slices.ContainsFunc(matched, func(outer string) bool { return strings.HasPrefix(path, outer+".") }) {
			outermost = append(outermost, path)
		}
	}
	return outermost, nil
}

func isLinear(m nn.Module) bool {
	_, ok := m.Layer.(*nn.Linear)
	return ok
}

// isWithin tells whether a path is one of the modules or lies below one.
func isWithin(path string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return path == m || strings.HasPrefix(path, m+".") })
}
