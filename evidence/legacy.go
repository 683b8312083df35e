package evidence

import (
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"strings"
)

// Legacy texts are quoted for others in their own form. Teapot never accepts them as proof. The list is closed
// (docs/formats/statement.md): Eliza's wallet text, Eliza's remote-attestation texts, Eliza's log key text and its
// extraction text; interoperable RA-TLS claims are made in package ratls.

// ElizaWalletText is what plugin-tee attests with a derived key: {"agentId":…,"publicKey":…}.
func ElizaWalletText(agentID, publicKey string) string {
	return `{"agentId":` + jsString(agentID) + `,"publicKey":` + jsString(publicKey) + `}`
}

// ElizaWalletTextWithSubject is the same with the subject that plugin-tee 0.1.9 adds when its caller passes one.
func ElizaWalletTextWithSubject(agentID, publicKey, subject string) string {
	return strings.TrimSuffix(ElizaWalletText(agentID, publicKey), "}") + `,"subject":` + jsString(subject) + `}`
}

// ElizaAttestationText is what plugin-tee 0.1.9's remote attestation attests about a message; time in milliseconds.
// plugin-tee 0.1.7 and plugin-sgx attest the bare agent ID instead.
func ElizaAttestationText(agentID string, time int64, userID, roomID, content string) string {
	return fmt.Sprintf(`{"agentId":%s,"timestamp":%d,"message":{"userId":%s,"roomId":%s,"content":%s}}`,
		jsString(agentID), time, jsString(userID), jsString(roomID), jsString(content))
}

// LegacyReportDataTDX is tappd's default: SHA-512("app-data:" ‖ text).
func LegacyReportDataTDX(text string) [64]byte { return sha512.Sum512([]byte("app-data:" + text)) }

// LegacyReportDataSGX is plugin-sgx's: SHA-256(text), then 32 zero bytes.
func LegacyReportDataSGX(text string) [64]byte {
	var rd [64]byte
	sum := sha256.Sum256([]byte(text))
	copy(rd[:], sum[:])
	return rd
}

// jsString quotes as JavaScript's JSON.stringify does: no escapes for <, >, &, U+2028 or U+2029.
func jsString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20:
			b.WriteString(jsControl(r))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func jsControl(r rune) string {
	if i := strings.IndexRune("\b\f\n\r\t", r); i >= 0 {
		return `\` + "bfnrt"[i:i+1]
	}
	return fmt.Sprintf(`\u%04x`, r)
}
