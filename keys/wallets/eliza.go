package wallets

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys/dstackkey"
)

// publishedRoots are keys that everybody has: simulators ship them.
func publishedRoots() []struct{ name, scalar string } {
	return []struct{ name, scalar string }{
		{"the community tappd-simulator", "13e16d1d7edfac6c83bb430573a1ec67b36272199c735824fde4069845eae0cc"},
		{"dstack's simulator 0.4 to 0.5.5", "e0e5d254fb944dcc370a2e5288b336a1e809871545a73ee645368957fefa31f9"},
		{"dstack's simulator 0.5.7 and later", "d6e88992cdeeee35fe70b5db61ab66cdb191fb9b6ec9313757ef162dd7214d5d"},
	}
}

// PublishedRoot names the simulator whose published key gave a DeriveKey answer; "" when none did.
func PublishedRoot(path string, der []byte) string {
	for _, r := range publishedRoots() {
		root, err := hex.DecodeString(r.scalar)
		if err != nil {
			panic("internal: published root " + r.name)
		}
		key, err := dstackkey.P256(dstackkey.GetKey(root, path))
		if err != nil {
			continue // the path has no key there
		}
		if theirs, err := dstackkey.DER(key); err == nil && bytes.Equal(theirs, der) {
			return r.name
		}
	}
	return ""
}

// Weaknesses says what is wrong with a compatible derivation, each in one sentence.
func Weaknesses(o Options, path string, der []byte) []string {
	out := []string{"one secret gives the Solana and the EVM key: whoever learns it has both"}
	switch o.Derivation {
	case Eliza017:
		out = append(out, "neither WALLET_SECRET_SALT nor the agent enters the derivation: every agent of this app has this wallet")
	case Eliza019:
		out = append(out, "the agent does not enter the derivation: every agent with the same WALLET_SECRET_SALT in this app has this wallet")
	}
	if o.Shared {
		out = append(out, fmt.Sprintf("callers of the guest API may derive %s: this wallet is shared with them", named(o, path)))
	} else {
		out = append(out, fmt.Sprintf("any process that reaches the platform's own socket can derive %s", named(o, path)))
	}
	if name := PublishedRoot(path, der); name != "" {
		out = append(out, "the key is that of "+name+": it is published, everybody can spend from this wallet")
	}
	return out
}

// named is the path in words that everybody may read: a salt is a secret of the operator's.
func named(o Options, path string) string {
	if o.Derivation == Eliza019 {
		return "the path that is WALLET_SECRET_SALT, if it knows the salt"
	}
	return fmt.Sprintf("path %q", path)
}

// Attestation is what plugin-tee returns beside a derived key: a quote over who the key belongs to. Legacy: Teapot itself
// never accepts it as proof.
type Attestation struct {
	Quote     string `json:"quote"`     // 0x and hex
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970
}

// Attest makes Eliza's attestation of a wallet.
func (w *Wallet) Attest(ctx context.Context, a attest.Attester, agent string, now time.Time) (Attestation, error) {
	text := evidence.ElizaWalletText(agent, w.Address)
	reportData := evidence.LegacyReportDataTDX(text)
	if a.Platform() == "gramine-sgx" {
		reportData = evidence.LegacyReportDataSGX(text)
	}
	q, err := a.Quote(ctx, reportData)
	if err != nil {
		return Attestation{}, fmt.Errorf("attesting wallet %s: %w", w.Address, err)
	}
	return Attestation{"0x" + hex.EncodeToString(q.Raw), now.UnixMilli()}, nil
}
