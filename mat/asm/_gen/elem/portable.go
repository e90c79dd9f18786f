package main

import (
	"fmt"
	"math"
	"strconv"
)

// portable returns the Go code of all kernels, the specification of the others.
func portable() []byte {
	var t text
	t.line("%s\npackage asm\n", header)
	t.variable("Generic")
	var tables tables
	for _, k := range kernels {
		t.portable(k, &tables)
	}
	for i, table := range tables.list {
		t.line("\nvar table%d = [8]float32{", i)
		for _, f := range table {
			t.line("%s,", goNumber(f))
		}
		t.line("}")
	}
	return t.source()
}

func (t *text) portable(k *kernel, tables *tables) {
	t.line("\nfunc %s%s {", k.function("Generic"), k.signature())
	if k.fold != 0 {
		if k.start == 0 {
			t.line("var lane [lanes]float32")
		} else {
			t.line("lane := [lanes]float32{}\nfor i := range lane { lane[i] = %s }", goNumber(k.start))
		}
	}
	over := k.inputs[0]
	if k.dst {
		over = "dst"
	}
	t.line("for i := range %s {", over)
	if k.near != nil {
		t.line("if x[i] < %s {", goNumber(k.from))
		t.statements(k, k.build(storing(k.far), body{}), tables)
		t.line("continue\n}")
		t.statements(k, k.build(storing(k.near), body{}), tables)
	} else {
		t.statements(k, k.build(k.body, body{}), tables)
	}
	t.line("}")
	switch k.fold {
	case sum:
		t.line("return foldSum(&lane)")
	case most:
		t.line("return foldMax(&lane)")
	}
	t.line("}")
}

// statements writes the code for element i.
func (t *text) statements(k *kernel, b *body, tables *tables) {
	names := map[*value]string{}
	name := func(v *value) string {
		switch v.op {
		case constant:
			return goNumber(v.f)
		case scalar:
			return k.scalars[v.i]
		}
		return names[v]
	}
	for _, v := range b.code {
		args := []any{}
		for _, a := range v.args() {
			args = append(args, name(a))
		}
		switch v.op {
		case note:
			t.line("// %s", v.text)
		case load:
			names[v] = k.inputs[v.i] + "i"
			t.line("%si := %s[i]", k.inputs[v.i], k.inputs[v.i])
		case store:
			dst := "dst"
			if !k.dst {
				dst = k.inputs[v.i]
			}
			t.line("%s[i] = %s", dst, args[0])
		case sum, sumFMA, most:
			f := map[op]string{sum: "lane[i%%lanes] += %s", sumFMA: "lane[i%%lanes] = FMA(%s, %s, lane[i%%lanes])", most: "lane[i%%lanes] = larger(%s, lane[i%%lanes])"}
			t.line(f[v.op], args...)
		case lookup:
			names[v] = fmt.Sprintf("v%d", len(names))
			t.line("%s := lookup(&table%d, %s)", names[v], tables.index(v.table), args[0])
		case index:
			names[v] = fmt.Sprintf("v%d", len(names))
			t.line("%s := index(%s, %d)", names[v], args[0], v.shift)
		case below:
			names[v] = fmt.Sprintf("v%d", len(names))
			t.line("%s := below(%s, %s, %s, %s)", names[v], args[0], goNumber(v.f), args[1], args[2])
		default:
			names[v] = fmt.Sprintf("v%d", len(names))
			t.line("%s := %s", names[v], fmt.Sprintf(goForms[v.op], args...))
		}
	}
}

// goForms are the operations in Go. The conversion of a product keeps the compiler from fusing it with a sum.
var goForms = map[op]string{
	add:      "%s + %s",
	sub:      "%s - %s",
	mul:      "float32(%s * %s)",
	div:      "%s / %s",
	sqrt:     "sqrt(%s)",
	fma:      "FMA(%s, %s, %s)",
	fms:      "FMA(-%s, %s, %s)",
	max:      "larger(%s, %s)",
	min:      "smaller(%s, %s)",
	abs:      "abs(%s)",
	within:   "smaller(abs(%s), %s)",
	withSign: "withSign(%s, %s)",
	above:    "above(%s, %s)",
	pow2:     "pow2(%s)",
	scale:    "scale(%[1]s, %[2]s)",
}

func goNumber(f float32) string {
	if math.IsInf(float64(f), -1) {
		return "negInf"
	}
	if f == float32(int(f)) {
		return strconv.Itoa(int(f))
	}
	if s := strconv.FormatFloat(float64(f), 'g', -1, 32); len(s) <= 6 {
		return s
	}
	return strconv.FormatFloat(float64(f), 'x', -1, 32)
}
