package poly

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Config says how a model is adapted: PEFT's PolyConfig (tuners/poly/config.py), which adapter_config.json holds.
// Start from [NewConfig] or [ParseConfig]; the zero value is not valid.
type Config struct {
	TaskType      *string        // task_type: nil or one of PEFT's, such as "CAUSAL_LM", without which PEFT, since 0.18, passes no task_ids on
	PEFTType      string         // peft_type: "POLY"
	AutoMapping   map[string]any // auto_mapping: the class of a base model that has no task type, or nil
	PEFTVersion   *string        // peft_version: the version of PEFT that wrote the file, nil if unknown
	BaseModel     *string        // base_model_name_or_path: what PEFT's AutoPeftModel… classes open; of no effect here
	Revision      *string        // revision of the base model
	InferenceMode bool           // inference_mode: true in every file that PEFT saves from a model

	R              int      // r: the rank of a skill
	TargetModules  Modules  // target_modules: which modules are adapted; null is the default of the model's type
	ExcludeModules Modules  // exclude_modules: which modules are not, even if TargetModules matches them
	ModulesToSave  []string // modules_to_save: which modules are trained and saved whole; nil is null
	InitWeights    bool     // init_weights: a fresh adapter adds nothing
	PolyType       string   // poly_type: "poly"
	NTasks         int      // n_tasks
	NSkills        int      // n_skills
	NSplits        int      // n_splits: the heads of the router; 1 is Poly, more is MHR

	// Format is the set of keys that the config was read with and will be written with.
	Format Format

	unknown map[string]any
}

// Format is a set of keys of adapter_config.json, which grew over PEFT's versions.
type Format int

const (
	Format018 Format = iota // all 16 keys: PEFT since 0.18
	Format014               // 15 keys, without peft_version: PEFT 0.14 to 0.17
	Format082               // 14 keys, also without exclude_modules: PEFT 0.8 to 0.13, which open no other
)

// NewConfig returns PEFT's defaults: rank 8, one task, four skills, one split.
func NewConfig() *Config {
	return &Config{PEFTType: "POLY", R: 8, InitWeights: true, PolyType: "poly", NTasks: 1, NSkills: 4, NSplits: 1}
}

// Unknown lists the keys that were read but are not PolyConfig's, sorted. They have no effect and are written back.
func (c *Config) Unknown() []string { return sortedKeys(c.unknown) }

// taskTypes are the members of TaskType in PEFT's utils/peft_types.py.
var taskTypes = []string{"SEQ_CLS", "SEQ_2_SEQ_LM", "CAUSAL_LM", "TOKEN_CLS", "QUESTION_ANS", "FEATURE_EXTRACTION"}

// Validate checks what does not depend on the base model. The sizes must be positive, and r·n_skills·n_splits and
// n_tasks·n_skills·n_splits at most 2³¹-1, so that no count of parameters overflows. PEFT 0.8 knew no fixed set of task types, so
// any will do in [Format082].
func (c *Config) Validate() error {
	if c.PEFTType != "POLY" {
		return &ConfigError{"peft_type", describe(c.PEFTType), `"POLY"`}
	}
	if c.PolyType != "poly" {
		return &ConfigError{"poly_type", describe(c.PolyType), `"poly", the only supported type`}
	}
	if t := c.TaskType; t != nil && c.Format != Format082 && !slices.Contains(taskTypes, *t) {
		return &ConfigError{"task_type", describe(*t), "null or one of " + strings.Join(taskTypes, ", ")}
	}
	if slices.Contains(c.ModulesToSave, "") {
		return &ConfigError{"modules_to_save", "an empty name", "names of modules"}
	}
	if _, ok := c.ExcludeModules.Pattern(); c.Format == Format082 && (ok || c.ExcludeModules.Names() != nil) {
		return &ConfigError{"exclude_modules", c.ExcludeModules.String(), "null in the format of PEFT 0.8.2"}
	}
	r, tasks := size{"r", c.R}, size{"n_tasks", c.NTasks}
	skills, splits := size{"n_skills", c.NSkills}, size{"n_splits", c.NSplits}
	for _, s := range []size{r, tasks, skills, splits} {
		if s.n <= 0 {
			return &ConfigError{s.field, fmt.Sprint(s.n), "a positive integer"}
		}
	}
	for _, s := range []size{r, tasks} {
		if err := checkProduct(s, skills, splits); err != nil {
			return err
		}
	}
	return nil
}

// size is a positive number and the field that holds it.
type size struct {
	field string
	n     int
}

func checkProduct(sizes ...size) error {
	product := int64(1)
	var fields, values []string
	for _, s := range sizes {
		fields = append(fields, s.field)
		values = append(values, fmt.Sprint(s.n))
	}
	for _, s := range sizes {
		if int64(s.n) > math.MaxInt32/product {
			return &ConfigError{strings.Join(fields, "·"), strings.Join(values, "·"), fmt.Sprintf("at most %d", math.MaxInt32)}
		}
		product *= int64(s.n)
	}
	return nil
}
