package poly

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
)

// ParseConfig reads an adapter_config.json that PEFT wrote (PeftConfigMixin.save_pretrained in config.py) and validates it.
//
// A key that is missing takes PEFT's default, except peft_type, which must be "POLY". Keys that PolyConfig does not have are kept:
// see [Config.Unknown]. The JSON must be strict: no duplicate keys, no NaN, nothing behind the object.
func ParseConfig(data []byte) (*Config, error) {
	v, err := decodeJSON(data)
	if _, ok := errors.AsType[*ConfigError](err); ok {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("poly: config: %w", err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("poly: config: got %s, want an object", describe(v))
	}
	if _, ok := object["peft_type"]; !ok {
		return nil, &ConfigError{"peft_type", "no such key", `"POLY"`}
	}
	c := NewConfig()
	c.Format = formatOf(object)
	for _, f := range c.fields() {
		v, ok := object[f.key]
		if !ok {
			continue
		}
		if err := f.set(v); err != nil {
			return nil, err
		}
		delete(object, f.key)
	}
	c.unknown = object
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// formatOf tells which versions of PEFT write such keys.
func formatOf(object map[string]any) Format {
	if _, ok := object["peft_version"]; ok {
		return Format018
	}
	if _, ok := object["exclude_modules"]; ok {
		return Format014
	}
	return Format082
}

// Marshal validates the config and returns the text of adapter_config.json, byte for byte as PEFT's save_pretrained lays it out: all
// keys of the config's [Format], sorted, indented by two, ASCII only, without a newline at the end. PEFTVersion is left out where the
// format has no place for it.
func (c *Config) Marshal() ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	object := make(map[string]any)
	maps.Copy(object, c.unknown)
	for _, f := range c.fields() {
		object[f.key] = f.get()
	}
	if c.Format != Format018 {
		delete(object, "peft_version")
	}
	if c.Format == Format082 {
		delete(object, "exclude_modules")
	}
	text, err := appendPython(nil, object, 0)
	if err != nil {
		return nil, fmt.Errorf("poly: config: %w", err)
	}
	return text, nil
}

// configField is a key of adapter_config.json and a pointer to the field of a Config that holds its value.
type configField struct {
	key   string
	value any
}

func (c *Config) fields() []configField {
	return []configField{
		{"auto_mapping", &c.AutoMapping},
		{"base_model_name_or_path", &c.BaseModel},
		{"exclude_modules", &c.ExcludeModules},
		{"inference_mode", &c.InferenceMode},
		{"init_weights", &c.InitWeights},
		{"modules_to_save", &c.ModulesToSave},
		{"n_skills", &c.NSkills},
		{"n_splits", &c.NSplits},
		{"n_tasks", &c.NTasks},
		{"peft_type", &c.PEFTType},
		{"peft_version", &c.PEFTVersion},
		{"poly_type", &c.PolyType},
		{"r", &c.R},
		{"revision", &c.Revision},
		{"target_modules", &c.TargetModules},
		{"task_type", &c.TaskType},
	}
}

// set stores a value of decodeJSON.
func (f configField) set(v any) error {
	want, ok := "", false
	switch p := f.value.(type) {
	case *int:
		want = "an integer"
		if n, isNumber := v.(json.Number); isNumber {
			i, err := strconv.Atoi(n.String())
			*p, ok = i, err == nil
		}
	case *bool:
		want = "true or false"
		*p, ok = v.(bool)
	case *string:
		want = "a string"
		*p, ok = v.(string)
	case **string:
		want = "a string or null"
		if s, isString := v.(string); isString {
			*p, ok = &s, true
		} else {
			ok = v == nil
		}
	case *map[string]any:
		want = "an object or null"
		*p, ok = v.(map[string]any)
		ok = ok || v == nil
	case *[]string:
		want = "a list of names or null"
		*p, ok = nameList(v)
	case *Modules:
		want = "a list of names, a pattern or null"
		if s, isString := v.(string); isString {
			*p, ok = ModulePattern(s), true
		} else {
			p.names, ok = nameList(v)
		}
	}
	if !ok {
		return &ConfigError{f.key, describe(v), want}
	}
	return nil
}

// get returns the value in the types that appendPython writes.
func (f configField) get() any {
	switch p := f.value.(type) {
	case *int:
		return json.Number(strconv.Itoa(*p))
	case *bool:
		return *p
	case *string:
		return *p
	case **string:
		if *p != nil {
			return **p
		}
	case *map[string]any:
		if *p != nil {
			return *p
		}
	case *[]string:
		return anyList(*p)
	case *Modules:
		if s, ok := p.Pattern(); ok {
			return s
		}
		return anyList(p.names)
	}
	return nil
}

// nameList converts a list of strings, or null to nil.
func nameList(v any) (names []string, ok bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, v == nil
	}
	names = make([]string, len(list))
	for i, item := range list {
		if names[i], ok = item.(string); !ok {
			return nil, false
		}
	}
	return names, true
}

// anyList is the inverse of nameList.
func anyList(names []string) any {
	if names == nil {
		return nil
	}
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = name
	}
	return list
}
