package tlog

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

const proofFileHead = "c2sp.org/tlog-proof@v1\n"

// ProofFile is C2SP's tlog-proof: an inclusion proof with its checkpoint, as a text file.
type ProofFile struct {
	Index      uint64
	Path       []Hash
	Checkpoint []byte // signed note, verbatim
	Extra      []byte // not covered by any signature; nil: no such line
}

// Marshal returns the file's bytes.
func (p *ProofFile) Marshal() []byte {
	b := []byte(proofFileHead)
	if p.Extra != nil {
		b = base64.StdEncoding.AppendEncode(append(b, "extra "...), p.Extra)
		b = append(b, '\n')
	}
	b = strconv.AppendUint(append(b, "index "...), p.Index, 10)
	b = append(b, '\n')
	for _, h := range p.Path {
		b = append(append(b, h.Base64()...), '\n')
	}
	return append(append(b, '\n'), p.Checkpoint...)
}

// ParseProofFile reads a tlog-proof strictly. The checkpoint is parsed as far as its form goes; nothing is verified.
func ParseProofFile(b []byte) (*ProofFile, error) {
	rest, ok := strings.CutPrefix(string(b), proofFileHead)
	head, checkpoint, ok2 := strings.Cut(rest, "\n\n")
	if !ok || !ok2 || len(b) > 2*maxNote {
		return nil, errors.New("tlog-proof: want the line c2sp.org/tlog-proof@v1, a proof, an empty line and a checkpoint")
	}
	p := &ProofFile{Checkpoint: []byte(checkpoint)}
	lines := strings.Split(head, "\n")
	if extra, ok := strings.CutPrefix(lines[0], "extra "); ok {
		raw, err := base64.StdEncoding.Strict().DecodeString(extra)
		if err != nil {
			return nil, errors.New("tlog-proof: the extra line is not base64")
		}
		p.Extra, lines = append([]byte{}, raw...), lines[1:]
	}
	if err := p.parseProof(lines); err != nil {
		return nil, err
	}
	if _, err := ParseCheckpoint(p.Checkpoint); err != nil {
		return nil, err
	}
	if string(p.Marshal()) != string(b) {
		return nil, errors.New("tlog-proof: not in canonical form")
	}
	return p, nil
}

func (p *ProofFile) parseProof(lines []string) error {
	if len(lines) == 0 || len(lines) > 1+MaxProof {
		return errors.New("tlog-proof: no index line, or too many hashes")
	}
	number, ok := strings.CutPrefix(lines[0], "index ")
	index, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil {
		return errors.New("tlog-proof: want a line index <n>")
	}
	p.Index = index
	for _, line := range lines[1:] {
		h, err := ParseHashBase64(line)
		if err != nil {
			return err
		}
		p.Path = append(p.Path, h)
	}
	return nil
}

// Verify says whether the proof holds for these leaf bytes under its own checkpoint, whose signatures the caller judges.
func (p *ProofFile) Verify(leaf []byte) (*SignedCheckpoint, error) {
	c, err := ParseCheckpoint(p.Checkpoint)
	if err != nil {
		return nil, err
	}
	return c, VerifyInclusion(RecordHash(leaf), p.Index, c.Size, p.Path, c.Root)
}
