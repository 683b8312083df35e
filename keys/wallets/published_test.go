package wallets

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// derFromPEM reads DeriveKey's PEM as the published SDKs do: what stands between the marker lines, base64-decoded; CRLF and
// missing line breaks are fine. Another kind of PEM block is an error there too.
func derFromPEM(text string) ([]byte, error) {
	const begin, end = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
	body := strings.NewReplacer(begin, "", end, "", "\n", "", "\r", "").Replace(text)
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(body))
	if err != nil {
		return nil, fmt.Errorf("reading DeriveKey's PEM: %w", err)
	}
	if len(der) == 0 {
		return nil, errors.New("reading DeriveKey's PEM: no key in it")
	}
	return der, nil
}

// constantHead begins the DER of every P-256 key: whoever uses DER[0:32] as a key shares it with the whole world.
const constantHead = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b02"

// constantSecret reports whether 32 secret bytes are the constant head of the DER: the published toKeypair, toViemAccount
// and asUint8Array(32) on a DeriveKey answer give exactly these, and with them one wallet for everybody.
func constantSecret(secret [32]byte) bool { return hex.EncodeToString(secret[:]) == constantHead }
