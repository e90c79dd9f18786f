package model

import (
	"fmt"

	"github.com/polytropon/polytropon/mat"
)

// ropeConfig is what config.json says of rotary position embeddings.
type ropeConfig struct {
	Type            string // default, linear, llama3 or yarn
	Theta, Factor   float64
	Original        float64 // original_max_position_embeddings
	Low, High       float64 // low_freq_factor and high_freq_factor of llama3
	Fast, Slow      float64 // beta_fast and beta_slow of yarn
	AttentionFactor float64 // of yarn
	Truncate        bool    // of yarn: whole pairs begin and end its ramp
}

// readRope reads rope_parameters, as transformers 5 writes it, or rope_scaling and rope_theta, as 4 does.
func readRope(c *configFile) ropeConfig {
	p := c.object("rope_scaling")
	if len(p.fields) == 0 {
		p = c.object("rope_parameters")
	}
	key := "rope_type"
	if !p.has(key) && p.has("type") {
		key = "type"
	}
	r := ropeConfig{Type: p.textOr(key, "default")}
	theta := p // where rope_theta is: transformers 4 writes it beside rope_scaling
	if !p.has("rope_theta") {
		theta = c
	}
	if r.Theta = 10000; theta.has("rope_theta") {
		r.Theta = theta.positive("rope_theta")
	}
	if p.numberOr("partial_rotary_factor", 1) != 1 {
		p.fail("partial_rotary_factor", "1")
	}
	switch r.Type {
	case "default":
		return r
	case "linear":
	case "llama3":
		r.Low, r.High = p.positive("low_freq_factor"), p.positive("high_freq_factor")
		if r.Low >= r.High {
			p.fail("high_freq_factor", fmt.Sprintf("more than low_freq_factor, %v", r.Low))
		}
	case "yarn":
		r.readYarn(p)
		if r.Theta <= 1 {
			theta.fail("rope_theta", "more than 1 with yarn")
		}
	case "dynamic", "longrope":
		// Their angles depend on the length of the whole call: a token computed with a cache would differ from the same recomputed.
		p.fail(key, `a type whose angles depend on the position alone: "default", "linear", "llama3" or "yarn"`)
	default:
		p.fail(key, `one of "default", "linear", "llama3" and "yarn"`)
	}
	r.Factor = p.positive("factor")
	if r.Type != "linear" {
		r.Original = readOriginal(c, p)
	}
	if r.Type == "yarn" && !p.has("attention_factor") {
		r.AttentionFactor = r.yarnScale(p)
	}
	return r
}

// readOriginal reads the length that the model was first trained for.
func readOriginal(c, p *configFile) float64 {
	const name = "original_max_position_embeddings"
	switch {
	case c.has(name):
		return float64(c.size(name))
	case p.has(name):
		return float64(p.size(name))
	}
	return float64(c.size("max_position_embeddings"))
}

func (r *ropeConfig) readYarn(p *configFile) {
	or := func(name string, def float64) float64 { // 0 means the default too
		if x := p.numberOr(name, def); x != 0 {
			return x
		}
		return def
	}
	r.Fast, r.Slow = or("beta_fast", 32), or("beta_slow", 1)
	r.AttentionFactor = p.numberOr("attention_factor", 1)
	r.Truncate = p.boolOr("truncate", true)
}

// yarnScale returns by what yarn multiplies sine and cosine where attention_factor does not say it.
func (r *ropeConfig) yarnScale(p *configFile) float64 {
	m := func(s float64) float64 {
		if r.Factor <= 1 {
			return 1
		}
		return float64(float64(0.1*s)*mat.Log(r.Factor)) + 1
	}
	scale, all := p.numberOr("mscale", 0), p.numberOr("mscale_all_dim", 0)
	if scale != 0 && all != 0 {
		return m(scale) / m(all)
	}
	return m(1)
}
