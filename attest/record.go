package attest

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// RecordName is the file in a data directory that says which platform and key derivation it belongs to.
const RecordName = "platform.json"

const recordType = "teapot/platform/v1"

// Record ties a data directory to a platform, so that a missing socket never becomes a simulation with new wallets, and to
// a key derivation, so that an upgrade of the platform never changes keys silently. It is not secret and not proof: the
// host can edit it, and then the keys it gets do not open the data.
type Record struct {
	Type       string `json:"type"`
	Platform   string `json:"platform"`
	Derivation string `json:"derivation"`
	Root       string `json:"root,omitempty"` // SHA-256 of the root certificate of this platform's quotes, hex
	// Wallets are the addresses of each agent (by UUID, sorted "chain:address"): another salt or derivation is noticed.
	Wallets map[string][]string `json:"wallets,omitempty"`
}

// ForeignDataError says that a data directory belongs to another platform or key derivation.
type ForeignDataError struct {
	Path       string
	Recorded   Record
	Platform   string
	Derivation string
	Root       string
}

func (e *ForeignDataError) Error() string {
	if e.Recorded.Platform != e.Platform {
		return fmt.Sprintf("%s belongs to platform %q, this start is on %q: wallets and log would change; start where it was made, or choose another --data directory",
			e.Path, e.Recorded.Platform, e.Platform)
	}
	if e.Root != "" {
		return fmt.Sprintf("%s belongs to a platform whose quotes end in root %.16s…, this one's end in %.16s…: one of them is a simulator, or another one; start where it was made, or choose another --data directory",
			e.Path, e.Recorded.Root, e.Root)
	}
	return fmt.Sprintf("%s was made with key derivation %q, this platform now offers %q: keys would change; go back to the platform version that made it",
		e.Path, e.Recorded.Derivation, e.Derivation)
}

// ReadRecord returns the record of a data directory; ok is false when it has none yet. A directory that is in use without a
// record is a *StrangeDataError.
func ReadRecord(dir string) (r Record, ok bool, err error) {
	path := filepath.Join(dir, RecordName)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, false, checkNew(dir)
	}
	if err != nil {
		return Record{}, false, fmt.Errorf("reading the platform record: %w", err)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return Record{}, false, fmt.Errorf("reading the platform record %s: %w", path, err)
	}
	if r.Type != recordType || r.Platform == "" || r.Derivation == "" {
		return Record{}, false, fmt.Errorf("%s is not a %s document", path, recordType)
	}
	return r, true, nil
}

// Claim checks that a data directory belongs to this platform and derivation and writes the record of a new one.
func Claim(dir string, a Attester) error {
	found, ok, err := ReadRecord(dir)
	if err != nil {
		return err
	}
	now := Record{Type: recordType, Platform: a.Platform(), Derivation: a.Derivation()}
	if !ok {
		return now.write(dir)
	}
	if found.Platform != now.Platform || found.Derivation != now.Derivation {
		return &ForeignDataError{Path: dir, Recorded: found, Platform: now.Platform, Derivation: now.Derivation}
	}
	return nil
}

// ClaimRoot does the same for the root certificate (DER, by its SHA-256) that the platform's quotes end in: a simulator
// behind a real platform's socket is another platform. The directory must have been claimed.
func ClaimRoot(dir string, root [32]byte) error {
	found, ok, err := ReadRecord(dir)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("claiming %s: it has no platform record", dir)
	}
	text := hex.EncodeToString(root[:])
	switch found.Root {
	case text:
		return nil
	case "":
		found.Root = text
		return found.write(dir)
	}
	return &ForeignDataError{Path: dir, Recorded: found, Platform: found.Platform, Derivation: found.Derivation, Root: text}
}

// ChangedWalletsError says that an agent of a data directory would get other wallets than before.
type ChangedWalletsError struct {
	Path, Agent   string
	Recorded, Now []string
}

func (e *ChangedWalletsError) Error() string {
	return fmt.Sprintf("agent %s of %s had wallets %s, this start derives %s: start with the derivation (--wallets) and WALLET_SECRET_SALT of before, or give the agent a new data directory",
		e.Agent, e.Path, strings.Join(e.Recorded, " "), strings.Join(e.Now, " "))
}

// ClaimWallets checks that agents have the wallets that they had in this directory and records those of new agents. The
// directory must have been claimed.
func ClaimWallets(dir string, wallets map[string][]string) error {
	found, ok, err := ReadRecord(dir)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("claiming %s: it has no platform record", dir)
	}
	grown := false
	for agent, now := range wallets {
		before, known := found.Wallets[agent]
		if known && !slices.Equal(before, now) {
			return &ChangedWalletsError{Path: dir, Agent: agent, Recorded: before, Now: now}
		}
		grown = grown || !known
	}
	if !grown {
		return nil
	}
	if found.Wallets == nil {
		found.Wallets = map[string][]string{}
	}
	maps.Copy(found.Wallets, wallets)
	return found.write(dir)
}

func (r Record) write(dir string) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing the platform record: %w", err)
	}
	if err := WriteFile(filepath.Join(dir, RecordName), append(raw, '\n')); err != nil {
		return fmt.Errorf("writing the platform record: %w", err)
	}
	return nil
}

// WriteFile replaces a file by a durable one that only its owner can read: temporary file, fsync, rename, fsync of the directory.
func WriteFile(path string, content []byte) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // after the rename there is nothing left to remove
	_, err = tmp.Write(content)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
