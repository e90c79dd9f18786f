package tokenizer

import (
	"bytes"
	"fmt"
	"io/fs"

	"github.com/polytropon/polytropon/internal/smallfile"
)

// A Tokenizer turns text into token ids and back. It is immutable and safe for concurrent use.
type Tokenizer struct{ codec }

// A codec is one kind of file.
type codec interface {
	encode(ids []int, text string, addSpecial bool) []int
	decode(skipSpecial bool) decoding
	size() int
	token(id int) (string, bool)
	id(token string) (int, bool)
}

// Open reads a tokenizer.json or a SentencePiece model, whichever the content is. The error wraps [fs.ErrNotExist] if there is no file, and
// is a [*FormatError] if the content is invalid or asks for what is not supported.
func Open(path string) (*Tokenizer, error) {
	data, err := smallfile.ReadPath(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	return parseFile(path, data)
}

// OpenFS reads a file of fsys. Otherwise it is as [Open].
func OpenFS(fsys fs.FS, name string) (*Tokenizer, error) {
	data, err := smallfile.Read(fsys, name, maxFile)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	return parseFile(name, data)
}

// maxFile bounds what is read of a file. The largest have some 35 MB.
const maxFile = 1 << 30

// parseFile reads the content of a file of that name.
func parseFile(name string, data []byte) (*Tokenizer, error) {
	if len(data) == 0 {
		return nil, &FormatError{File: name, Reason: "got an empty file, want a tokenizer.json or a SentencePiece model"}
	}
	var c codec
	var err error
	if text := bytes.TrimLeft(data, " \t\r\n"); len(text) > 0 && text[0] == '{' {
		c, err = parsePipeline(data)
	} else {
		c, err = parseSentencePiece(data)
	}
	if err != nil {
		return nil, inFile(err, name)
	}
	return &Tokenizer{c}, nil
}

// Encode returns the ids of text, with the tokens that the file's post-processor puts around it if addSpecial is set. A SentencePiece model
// has no post-processor and adds none. Bytes that are not UTF-8 are read as U+FFFD.
//
// A special token that text spells out, such as <|im_start|>, becomes that token, whoever wrote it, as in the packages. A service that puts a stranger's
// text into a template looks for them first.
func (t *Tokenizer) Encode(text string, addSpecial bool) []int {
	return t.encode(nil, text, addSpecial)
}

// AppendEncode appends what [Tokenizer.Encode] returns to ids. It allocates nothing else once it has seen texts of the length.
func (t *Tokenizer) AppendEncode(ids []int, text string, addSpecial bool) []int {
	return t.encode(ids, text, addSpecial)
}

// Decode returns the text of ids, with special tokens left out if skipSpecial is set. Ids without a token are left out; the bytes of tokens
// that do not make a character become U+FFFD.
func (t *Tokenizer) Decode(ids []int, skipSpecial bool) string {
	d := t.NewDecoder(skipSpecial)
	var text []byte
	for _, id := range ids {
		text = d.d.append(text, id)
	}
	return string(d.d.end(text))
}

// Size returns the number of tokens, added ones included. Ids can have gaps.
func (t *Tokenizer) Size() int { return t.size() }

// Token returns the token of an id as the vocabulary spells it.
func (t *Tokenizer) Token(id int) (string, bool) { return t.token(id) }

// ID returns the id of a token as the vocabulary spells it.
func (t *Tokenizer) ID(token string) (int, bool) { return t.id(token) }

// A Decoder turns ids into text as they come. What it returns in all is what [Tokenizer.Decode] returns for all ids at once, and each part
// is whole characters: one of several tokens comes with the last of them, or, where all bytes of a run of byte tokens count, with the token
// after the run. A Decoder must not be used by several goroutines at once.
type Decoder struct{ d decoding }

// A decoding is a state of a decoder.
type decoding interface {
	append(text []byte, id int) []byte // appends what is known for sure after id
	end(text []byte) []byte            // appends what is left
}

// NewDecoder starts decoding a sequence of ids.
func (t *Tokenizer) NewDecoder(skipSpecial bool) *Decoder { return &Decoder{t.decode(skipSpecial)} }

// Next takes the next id and returns the text that is complete with it, which can be empty.
func (d *Decoder) Next(id int) string { return string(d.d.append(nil, id)) }

// End returns the text that was held back after the last id. The Decoder must not be used after it.
func (d *Decoder) End() string { return string(d.d.end(nil)) }
