package poly_test

import (
	"fmt"
	"log"

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
	// poly: config: n_tasks: got 2.5, expected an integer
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
