package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// maxInput is more than any quote, collateral or log excerpt needs.
const maxInput = 16 << 20

// readInput reads a file, or standard input for "-".
func readInput(path string, stdin io.Reader) ([]byte, error) {
	var b []byte
	var err error
	if path == "-" {
		b, err = io.ReadAll(io.LimitReader(stdin, maxInput+1))
	} else {
		var f *os.File
		if f, err = os.Open(path); err == nil {
			defer f.Close()
			b, err = io.ReadAll(io.LimitReader(f, maxInput+1))
		}
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", path, err)
	case len(b) > maxInput:
		return nil, fmt.Errorf("reading %s: larger than %d bytes", path, maxInput)
	case len(b) == 0:
		return nil, fmt.Errorf("reading %s: empty", path)
	}
	return b, nil
}

var errNoQuote = errors.New("no quote in the input: neither binary nor hex nor base64 of 48 bytes or more")

// extractQuote finds the quote in what people paste: the bytes themselves, hex with or without 0x, base64, and any
// of these inside JSON, JavaScript or a log. Among several candidates one that begins like a quote wins, then the longest.
func extractQuote(input []byte) ([]byte, error) {
	if isBinary(input) {
		return input, nil
	}
	whole := string(bytes.Join(bytes.Fields(input), nil)) // a dump over several lines
	best := decodeCandidate(strings.TrimPrefix(whole, "0x"))
	if best == nil {
		for _, run := range append(runs(string(input)), wrapped(string(input))...) {
			if b := decodeCandidate(run); better(b, best) {
				best = b
			}
		}
	}
	if best == nil {
		return nil, errNoQuote
	}
	return best, nil
}

// isBinary says that the input is no text: a quote begins with a version byte below any letter.
func isBinary(b []byte) bool { return b[0] < '\t' || !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 }

func better(b, than []byte) bool {
	if b == nil || than == nil || likeQuote(b) != likeQuote(than) {
		return b != nil && (than == nil || likeQuote(b))
	}
	return len(b) > len(than)
}

// likeQuote looks at version and TEE type.
func likeQuote(b []byte) bool {
	return b[0] >= 3 && b[0] <= 5 && b[1] == 0 && (b[4] == 0 || b[4] == 0x81) && b[5] == 0 && b[6] == 0 && b[7] == 0
}

// decodeCandidate decodes hex or base64 of at least a quote header.
func decodeCandidate(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
		if b, err = base64.RawStdEncoding.DecodeString(text); err != nil {
			return nil
		}
	}
	if len(b) < 48 {
		return nil
	}
	return b
}

// runs are the stretches of hex or base64 letters; 0x is cut off, and \/ of JSON is /.
func runs(text string) []string {
	text = strings.ReplaceAll(text, `\/`, "/")
	found := strings.FieldsFunc(text, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("+/-_=", r))
	})
	for i := range found {
		found[i] = strings.TrimPrefix(found[i], "0x")
	}
	return found
}

// wrapped are the runs that a terminal or mail program broke into lines, with other text before and after them.
func wrapped(text string) []string {
	var chains []*strings.Builder
	open, hexed := false, false // the last chain may go on in this line; it is hex
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.Trim(line, " \t\r\"'`,\\")
		found := runs(line)
		if len(found) == 0 {
			open = false
			continue
		}
		first, last := found[0], found[len(found)-1]
		if open = open && strings.HasPrefix(line, first) && (isHex(first) || !hexed); open {
			chain := chains[len(chains)-1]
			if len(first) < 16 { // the end, or a word: both ways are candidates
				chain = &strings.Builder{}
				chain.WriteString(chains[len(chains)-1].String())
				chains = append(chains, chain)
			}
			chain.WriteString(first)
			open = first == line && len(first) >= 16
		}
		if !open && len(last) >= 32 && strings.HasSuffix(line, last) {
			chains = append(chains, &strings.Builder{})
			chains[len(chains)-1].WriteString(last)
			open, hexed = true, isHex(last)
		}
	}
	whole := make([]string, len(chains))
	for i, c := range chains {
		whole[i] = c.String()
	}
	return whole
}

func isHex(text string) bool { return strings.Trim(text, "0123456789abcdefABCDEF") == "" }
