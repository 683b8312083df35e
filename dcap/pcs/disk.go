package pcs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/internal/filelock"
)

// place is the directory of one trust root: simulated runs never touch what belongs to Intel's.
func (c *Client) place() string {
	root := c.Root
	if root == nil {
		root = dcap.IntelRoot()
	}
	sum := sha256.Sum256(root)
	return filepath.Join(c.Dir, hex.EncodeToString(sum[:16]))
}

func (c *Client) file(n dcap.Needs) string {
	return filepath.Join(c.place(), fmt.Sprintf("%s-%x-%s%s.json", n.TEE, n.FMSPC, n.CA, c.wanted()))
}

// load returns cached collateral that is genuine, what is asked for and inside its windows; else nil. A damaged file
// counts as absent: it is fetched again.
func (c *Client) load(n dcap.Needs) (*dcap.Collateral, time.Duration) {
	if c.Dir == "" {
		return nil, 0
	}
	raw, err := os.ReadFile(c.file(n))
	if err != nil {
		return nil, 0
	}
	collateral, err := dcap.ParseCollateral(raw)
	if err != nil {
		return nil, 0
	}
	info, err := c.verifier.Inspect(collateral, c.Root)
	if err != nil || info.TEE != n.TEE || info.FMSPC != n.FMSPC || info.CA != n.CA || info.NextUpdate.Before(c.now()) || c.isWanted(info) != nil {
		return nil, 0
	}
	stat, err := os.Stat(c.file(n))
	if err != nil {
		return nil, 0
	}
	if seen, err := c.memory(); err != nil || seen.older(c.documents(info)) != nil {
		return nil, 0
	}
	return collateral, c.now().Sub(stat.ModTime())
}

func (c *Client) store(n dcap.Needs, collateral *dcap.Collateral) error {
	if c.Dir == "" {
		return nil
	}
	raw, err := collateral.MarshalJSON()
	if err != nil {
		return fmt.Errorf("pcs: caching collateral: %w", err)
	}
	if err := replace(c.file(n), raw); err != nil {
		return fmt.Errorf("pcs: caching collateral: %w", err)
	}
	now := c.now()
	return os.Chtimes(c.file(n), now, now)
}

// memory is the highest number seen of each document, by its name: TEE and FMSPC, TEE, or CA, and where TCB levels were chosen that
// choice. It lies in the directory of its trust root.
type memory map[string]uint64

// documents names them. Intel serves early levels beside the standard ones for months, so having seen those is no reason to refuse these.
func (c *Client) documents(i *dcap.CollateralInfo) map[string]uint64 {
	return map[string]uint64{
		fmt.Sprintf("tcb %s %x%s", i.TEE, i.FMSPC, c.wanted()): i.TCBInfoNumber,
		fmt.Sprintf("qe %s%s", i.TEE, c.wanted()):              i.QEIdentityNumber,
		"crl " + i.CA: i.PCKCRLNumber,
		"crl root":    i.RootCRLNumber,
	}
}

// older says whether any document has a lower number than before.
func (m memory) older(documents map[string]uint64) error {
	for name, number := range documents {
		if number < m[name] {
			return fmt.Errorf("pcs: the server sent %q number %d, seen before was %d: %w", name, number, m[name], ErrRollback)
		}
	}
	return nil
}

func (c *Client) memoryFile() string { return filepath.Join(c.place(), "seen.json") }

// memory reads what was seen. An unreadable memory is an error, not a blank one.
func (c *Client) memory() (memory, error) {
	seen := memory{}
	if c.Dir == "" {
		return seen, nil
	}
	raw, err := os.ReadFile(c.memoryFile())
	if errors.Is(err, fs.ErrNotExist) {
		return seen, nil
	}
	if err != nil {
		return nil, fmt.Errorf("pcs: reading what was seen before: %w", err)
	}
	if err := json.Unmarshal(raw, &seen); err != nil {
		return nil, fmt.Errorf("pcs: reading what was seen before (%s): %w", c.memoryFile(), err)
	}
	return seen, nil
}

// remember refuses a step back and keeps the new numbers.
func (c *Client) remember(i *dcap.CollateralInfo) error {
	if c.Dir == "" {
		return nil
	}
	unlock, err := c.lock()
	if err != nil {
		return fmt.Errorf("pcs: remembering: %w", err)
	}
	defer unlock()
	seen, err := c.memory()
	if err != nil {
		return err
	}
	documents := c.documents(i)
	if err := seen.older(documents); err != nil {
		return err
	}
	for name, number := range documents {
		seen[name] = number
	}
	raw, err := json.MarshalIndent(seen, "", " ")
	if err != nil {
		return fmt.Errorf("pcs: remembering: %w", err)
	}
	if err := replace(c.memoryFile(), raw); err != nil {
		return fmt.Errorf("pcs: remembering: %w", err)
	}
	return nil
}

// lock keeps other processes from remembering at the same time: each must read what the other wrote.
func (c *Client) lock() (unlock func(), err error) {
	if err := os.MkdirAll(c.place(), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(c.place(), "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := filelock.Wait(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil // closing unlocks
}

// replace writes a file so that a reader sees the old or the new one, never half of it.
func replace(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(content); err != nil {
		f.Close()
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
