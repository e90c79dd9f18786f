package poly_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/polytropon/polytropon/nn"
	"github.com/polytropon/polytropon/poly"
)

func ExampleParseConfig() {
	config, err := poly.ParseConfig([]byte(`{
  "exclude_modules": null,
  "n_skills": 2,
  "n_splits": 4,
  "n_tasks": 3,
  "peft_type": "POLY",
  "r": 8,
  "router_dropout": 0.1,
  "target_modules": ["q", "v"],
  "task_type": "SEQ_2_SEQ_LM"
}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(config.R, config.NTasks, config.NSkills, config.NSplits)
	fmt.Println(config.TargetModules, *config.TaskType)
	fmt.Println(config.Unknown())

	_, err = poly.ParseConfig([]byte(`{"peft_type": "POLY", "n_tasks": 2.5}`))
	fmt.Println(err)
	// Output:
	// 8 3 2 4
	// ["q" "v"] SEQ_2_SEQ_LM
	// [router_dropout]
	// poly: config: n_tasks: got 2.5, want an integer
}

func ExampleConfig_Marshal() {
	config := poly.NewConfig()
	config.TaskType = new("CAUSAL_LM")
	config.BaseModel = new("smollm2")
	config.TargetModules = poly.ModuleNames("q_proj", "v_proj")
	config.NTasks = 5
	config.Format = poly.Format082 // for PEFT before 0.14; today's needs nothing
	text, err := config.Marshal()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
	// Output:
	// {
	//   "auto_mapping": null,
	//   "base_model_name_or_path": "smollm2",
	//   "inference_mode": false,
	//   "init_weights": true,
	//   "modules_to_save": null,
	//   "n_skills": 4,
	//   "n_splits": 1,
	//   "n_tasks": 5,
	//   "peft_type": "POLY",
	//   "poly_type": "poly",
	//   "r": 8,
	//   "revision": null,
	//   "target_modules": [
	//     "q_proj",
	//     "v_proj"
	//   ],
	//   "task_type": "CAUSAL_LM"
	// }
}

// modules are those of a small model.
var modules = []nn.Module{
	{Path: "block", Type: "ModuleList"},
	{Path: "block.0", Type: "Block"},
	{Path: "block.0.q", Type: "Linear", Layer: new(nn.Linear)},
	{Path: "block.0.wo", Type: "Linear", Layer: new(nn.Linear)},
	{Path: "block.1", Type: "Block"},
	{Path: "block.1.q", Type: "Linear", Layer: new(nn.Linear)},
	{Path: "block.1.wo", Type: "Linear", Layer: new(nn.Linear)},
	{Path: "lm_head", Type: "Linear", Layer: new(nn.Linear), Output: true},
}

func ExampleConfig_Validate() {
	config := poly.NewConfig()
	config.NSplits = 0
	fmt.Println(config.Validate())
	// Output: poly: config: n_splits: got 0, want a positive integer
}

// A form can show a mistake beside its field.
func ExampleConfigError() {
	_, err := poly.ParseConfig([]byte(`{"peft_type": "POLY", "r": "8"}`))
	if e, ok := errors.AsType[*poly.ConfigError](err); ok {
		fmt.Printf("%s is %s, should be %s\n", e.Field, e.Got, e.Want)
	}
	// Output: r is "8", should be an integer
}

func ExampleConfig_Targets() {
	config := poly.NewConfig()
	config.ExcludeModules = poly.ModulePattern(`block\.0\..*`)
	for _, targets := range []poly.Modules{poly.ModuleNames("q", "0.wo"), poly.ModulePattern(".*[qo]"), poly.ModulePattern("all-linear"), poly.ModuleNames("k")} {
		config.TargetModules = targets
		match, err := config.Targets(modules, "custom")
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(match.Adapted, "without", match.Excluded)
	}
	// Output:
	// [block.1.q] without [block.0.q block.0.wo]
	// [block.1.q block.1.wo] without [block.0.q block.0.wo]
	// [block.1.q block.1.wo] without [block.0.q block.0.wo]
	// poly: config: target_modules: got ["k"], which adapts none of the modules: 6 did not match, 2 were excluded by exclude_modules or modules_to_save, want at least one module to adapt
}

func ExampleConfig_SavedModules() {
	config := poly.NewConfig()
	config.ModulesToSave = []string{"lm_head", "o"} // PEFT takes the end of a path, whatever comes before it
	saved, err := config.SavedModules(modules)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(saved)
	// Output: [block.0.wo block.1.wo lm_head]
}

func ExamplePatternError() {
	config := poly.NewConfig()
	config.TargetModules = poly.ModulePattern(`(?!block\.0).*q`)
	_, err := config.Targets(modules, "custom")
	fmt.Println(err)
	fmt.Println(errors.Is(err, errors.ErrUnsupported))
	// Output:
	// poly: config: target_modules: pattern "(?!block\\.0).*q": a look-ahead at position 0, which Go's regexp engine cannot express
	// true
}

func ExampleModules() {
	for _, m := range []poly.Modules{{}, poly.ModuleNames("q", "v"), poly.ModulePattern(".*q")} {
		pattern, ok := m.Pattern()
		fmt.Println(m, m.IsNull(), m.Names(), pattern, ok)
	}
	// Output:
	// null true []  false
	// ["q" "v"] false [q v]  false
	// ".*q" false [] .*q true
}
