package guestapi

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
)

// appKeys is the part of dstack's appkeys.json that a guest agent answers from.
type appKeys struct {
	K256Key       Hex    `json:"k256_key"`
	K256Signature Hex    `json:"k256_signature"`
	CACert        string `json:"ca_cert"`
	KeyProvider   map[string]struct {
		Key       string `json:"key"`         // None, Local, Tpm: PEM of the app CA's key
		TempCAKey string `json:"tmp_ca_key"`  // Kms
		TempCert  string `json:"tmp_ca_cert"` // Kms
	} `json:"key_provider"`
}

// RootFromAppKeys reads dstack's appkeys.json, for example the fixtures that upstream's simulator publishes: with them the same
// wallets come out as there, and everybody has them.
func RootFromAppKeys(raw []byte) (*Root, error) {
	var keys appKeys
	if err := json.Unmarshal(raw, &keys); err != nil {
		return nil, fmt.Errorf("reading appkeys: %w", err)
	}
	if len(keys.K256Key) != 32 {
		return nil, fmt.Errorf("appkeys: k256_key has %d bytes, want 32", len(keys.K256Key))
	}
	ca, err := keys.ca()
	if err != nil {
		return nil, fmt.Errorf("appkeys: %w", err)
	}
	return NewRoot([32]byte(keys.K256Key), keys.K256Signature, ca)
}

func (k appKeys) ca() (CA, error) {
	for _, provider := range k.KeyProvider {
		keyText, certText := provider.Key, k.CACert
		if keyText == "" {
			keyText, certText = provider.TempCAKey, provider.TempCert
		}
		keyBlock, _ := pem.Decode([]byte(keyText))
		certBlock, _ := pem.Decode([]byte(certText))
		if keyBlock == nil || certBlock == nil {
			continue
		}
		parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
		if err != nil {
			return CA{}, fmt.Errorf("key of the key provider: %w", err)
		}
		key, ok := parsed.(*ecdsa.PrivateKey)
		if !ok {
			return CA{}, errors.New("key of the key provider is not an ECDSA key")
		}
		return CA{Key: key, Certificate: certBlock.Bytes}, nil
	}
	return CA{}, errors.New("key_provider holds no CA key with a certificate")
}
