package attest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/evidence"
)

// named is a platform that only has a name and a derivation.
type named struct{ platform, derivation string }

func (n named) Platform() string                               { return n.platform }
func (n named) Derivation() string                             { return n.derivation }
func (n named) Custody() evidence.Custody                      { return evidence.Operator }
func (n named) Quote(context.Context, [64]byte) (Quote, error) { return Quote{}, nil }
func (n named) Info(context.Context) (Info, error)             { return Info{}, nil }
func (n named) Key(context.Context, string) (Key, error)       { return Key{}, nil }
func (n named) Close() error                                   { return nil }

func TestClaim(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if err := Claim(dir, named{"simulator", "d1"}); err != nil {
			t.Fatal(err)
		}
	}
	var foreign *ForeignDataError
	for _, other := range []named{{"dstack-tdx", "d1"}, {"simulator", "d2"}} {
		if err := Claim(dir, other); !errors.As(err, &foreign) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%v: %v", other, err)
		}
	}
	if err := ClaimRoot(dir, [32]byte{1}); err != nil {
		t.Fatal(err)
	}
	if err := Claim(dir, named{"simulator", "d1"}); err != nil {
		t.Errorf("the root is forgotten or in the way: %v", err)
	}
	if err := ClaimRoot(dir, [32]byte{2}); !errors.As(err, &foreign) || foreign.Root == "" {
		t.Errorf("another root: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, RecordName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left) != 0 {
		t.Errorf("temporary files left: %q", left)
	}
}

func TestClaimWallets(t *testing.T) {
	dir := t.TempDir()
	if err := ClaimWallets(dir, nil); err == nil {
		t.Error("an unclaimed directory took wallets")
	}
	if err := Claim(dir, named{"simulator", "d"}); err != nil {
		t.Fatal(err)
	}
	first := map[string][]string{"a": {"evm:1", "solana:2"}}
	for range 2 {
		if err := ClaimWallets(dir, first); err != nil {
			t.Fatal(err)
		}
	}
	if err := ClaimWallets(dir, map[string][]string{"b": {"evm:3"}}); err != nil {
		t.Fatal(err)
	}
	var changed *ChangedWalletsError
	for _, now := range [][]string{{"evm:9", "solana:2"}, {"evm:1"}, nil} {
		if err := ClaimWallets(dir, map[string][]string{"a": now}); !errors.As(err, &changed) || changed.Agent != "a" {
			t.Errorf("%q: %v", now, err)
		}
	}
	if r, _, _ := ReadRecord(dir); len(r.Wallets) != 2 || r.Platform != "simulator" {
		t.Errorf("%+v", r)
	}
}

func TestUnwritableDirectory(t *testing.T) {
	if err := Claim(filepath.Join(t.TempDir(), "missing"), named{"simulator", "d"}); err == nil {
		t.Error("claimed a directory that is not there")
	}
}
