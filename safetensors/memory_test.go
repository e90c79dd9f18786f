package safetensors

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestHeaderMemory counts every byte allocated while a header is opened, garbage included.
func TestHeaderMemory(t *testing.T) {
	many := func(n int, member func(i int) string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(member(i))
		}
		return b.String()
	}
	const info = `"dtype":"U8","shape":[0],"data_offsets":[0,0]`
	headers := map[string]string{
		"tensors": "{" + many(150_000, func(i int) string {
			return fmt.Sprintf(`"model.layers.%d.weight":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`, i)
		}) + "}",
		"tensors with short names": "{" + many(180_000, func(i int) string { return fmt.Sprintf(`"%x":{%s}`, i, info) }) + "}",
		"tensors with escapes":     "{" + many(180_000, func(i int) string { return fmt.Sprintf(`"\u0061%x":{%s}`, i, info) }) + "}",
		"tensors of rank 64": "{" + many(50_000, func(i int) string {
			return fmt.Sprintf(`"%x":{"dtype":"U8","shape":[%s0],"data_offsets":[0,0]}`, i, strings.Repeat("1,", 63))
		}) + "}",
		"metadata":              `{"__metadata__":{` + many(300_000, func(i int) string { return fmt.Sprintf(`"%x":""`, i) }) + "}}",
		"metadata with escapes": `{"__metadata__":{` + many(300_000, func(i int) string { return fmt.Sprintf(`"\n%x":""`, i) }) + "}}",
		"extra keys":            `{"a":{` + info + "," + many(300_000, func(i int) string { return fmt.Sprintf(`"%x":0`, i) }) + "}}",
		"shape of 9 MB":         `{"a":{"dtype":"U8","shape":[` + strings.Repeat("1,", 4_500_000) + `1],"data_offsets":[0,1]}}`,
		"long name":             `{"` + strings.Repeat("x", 10_000_000) + `":{` + info + "}}",
		"long name with escape": `{"\n` + strings.Repeat("x", 10_000_000) + `":{` + info + "}}",
		"colons":                `{"` + strings.Repeat(":", 10_000_000),
		"brackets":              strings.Repeat("{", 10_000_000),
	}
	for name, header := range headers {
		t.Run(name, func(t *testing.T) {
			file := build(header, 0)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f, err := openBytes(file)
			runtime.ReadMemStats(&after)
			ratio := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(header))
			t.Logf("header of %.1f MB: allocated %.2f times that", float64(len(header))/1e6, ratio)
			if ratio > 4 {
				t.Errorf("opening allocated %.2f times the header's size, want at most 4", ratio)
			}
			if err != nil {
				if len(err.Error()) > 1000 {
					t.Errorf("error of %d bytes", len(err.Error()))
				}
				return
			}
			runtime.KeepAlive(f)
		})
	}
}
