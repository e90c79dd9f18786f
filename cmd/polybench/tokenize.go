package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"

	"github.com/polytropon/polytropon/tokenizer"
)

// tokenize turns lines of in into token ids, or arrays of ids into text.
func tokenize(args []string, in io.Reader, w io.Writer) error {
	flags := flag.NewFlagSet("tokenize", flag.ContinueOnError)
	path := flags.String("tokenizer", "", "")
	special := flags.Bool("special", true, "")
	decode := flags.Bool("decode", false, "")
	asJSON := flags.Bool("json", false, "")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	if *path == "" {
		return usageError("tokenize needs -tokenizer")
	}
	t, err := tokenizer.Open(*path)
	if err != nil {
		return err
	}
	if *decode && !given(flags)["special"] {
		*special = false
	}
	c := tokenizeCommand{t: t, special: *special, json: *asJSON}
	convert := c.encode
	if *decode {
		convert = c.decode
	}
	return eachLine(in, w, convert)
}

// eachLine writes what convert makes of each line of r. A line ends before a line feed, and only there.
func eachLine(r io.Reader, w io.Writer, convert func(out []byte, line []byte) ([]byte, error)) error {
	in, out := bufio.NewReaderSize(r, 1<<16), bufio.NewWriterSize(w, 1<<16)
	var buf []byte
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return err
		}
		if err == io.EOF && len(line) == 0 {
			return out.Flush()
		}
		buf, err = convert(buf[:0], bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return cmp.Or(out.Flush(), fmt.Errorf("line %d: %w", n, err))
		}
		if _, err := out.Write(append(buf, '\n')); err != nil {
			return err
		}
		// Whoever writes one line and waits for the answer gets it.
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

type tokenizeCommand struct {
	t             *tokenizer.Tokenizer
	special, json bool
	ids           []int
}

// encode appends the ids of a line as a JSON array.
func (c *tokenizeCommand) encode(out, line []byte) ([]byte, error) {
	text := string(line)
	if c.json {
		if err := unmarshal(line, &text); err != nil {
			return nil, fmt.Errorf("want a JSON string: %w", err)
		}
	}
	c.ids = c.t.AppendEncode(c.ids[:0], text, c.special)
	out = append(out, '[')
	for i, id := range c.ids {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, int64(id), 10)
	}
	return append(out, ']'), nil
}

// unmarshal reads a string or an array of numbers, where json takes null for whatever is there already.
func unmarshal(line []byte, into any) error {
	if bytes.Contains(line, []byte("null")) && !bytes.HasPrefix(bytes.TrimLeft(line, " \t\r"), []byte(`"`)) {
		return errors.New("got null")
	}
	return json.Unmarshal(line, into)
}

// decode appends the text of an array of ids.
func (c *tokenizeCommand) decode(out, line []byte) ([]byte, error) {
	var ids []int
	if err := unmarshal(line, &ids); err != nil {
		return nil, fmt.Errorf("want a JSON array of ids: %w", err)
	}
	text := c.t.Decode(ids, !c.special)
	if !c.json {
		return append(out, text...), nil
	}
	quoted := bytes.NewBuffer(out)
	e := json.NewEncoder(quoted)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(quoted.Bytes(), []byte("\n")), nil
}
