package segment

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/teapot-tee/teapot/actionlog/disk"
)

const (
	keysMagic   = "TEAPOT-KEYS\x00\x00\x00\x00\x01"
	keysHeader  = 16 + 32 // magic, random salt
	wrappedSize = 32 + TagSize
	keysLimit   = 1 << 30
)

// ContentKeys opens the contents of one segment. Each content has a random key of its own, which its record carries
// wrapped under the segment's content key. Erasing makes a new content key, wraps the surviving keys under it, and
// puts both in place of the old file: the old content key is gone and with it every key not carried over.
//
// A ContentKeys value never changes; Erase returns the next one.
type ContentKeys struct {
	head  Header
	wrap  cipher.AEAD
	key   [32]byte
	moved map[uint64][]byte // index → wrapped key; nil while the records' own wraps count
}

// NewContentKeys makes and stores the content key of a new segment.
func NewContentKeys(fsys disk.FS, dir string, k Keys, h Header) (*ContentKeys, error) {
	c := &ContentKeys{head: h}
	c.fresh()
	return c, c.store(fsys, dir, k)
}

func (c *ContentKeys) fresh() {
	rand.Read(c.key[:])
	c.wrap = newGCM(c.key[:])
}

func (c *ContentKeys) additional() []byte {
	b := append([]byte("teapot/content/v1"), c.head.Origin[:]...)
	b = append(b, c.head.Boot[:]...)
	return binary.BigEndian.AppendUint64(b, c.head.Number)
}

// Seal encrypts one content under a new key and returns that key, wrapped, and the sealed content. The index is the
// nonce of the wrap: each index is wrapped once under a content key.
func (c *ContentKeys) Seal(index uint64, content []byte) (wrapped, sealed []byte) {
	var key [32]byte
	rand.Read(key[:])
	sealed = newGCM(key[:]).Seal(make([]byte, 0, len(content)+TagSize), nonce(index), content, c.additional())
	return c.wrap.Seal(make([]byte, 0, wrappedSize), nonce(index), key[:], c.additional()), sealed
}

// ErrErased says that the key of a content is gone: it was erased.
var ErrErased = errors.New("content was erased")

// Open decrypts the content of a record; a key that was not carried over at an erasure is ErrErased.
func (c *ContentKeys) Open(index uint64, wrapped, sealed []byte) ([]byte, error) {
	key, err := c.unwrap(index, wrapped)
	if err != nil {
		return nil, err
	}
	content, err := newGCM(key).Open(nil, nonce(index), sealed, c.additional())
	if err != nil {
		return nil, &Fault{fmt.Sprintf("content of entry %d does not open under its key", index), restore}
	}
	return content, nil
}

func (c *ContentKeys) unwrap(index uint64, wrapped []byte) ([]byte, error) {
	if c.moved != nil {
		var kept bool
		if wrapped, kept = c.moved[index]; !kept {
			return nil, ErrErased
		}
	}
	key, err := c.wrap.Open(nil, nonce(index), wrapped, c.additional())
	if err != nil {
		return nil, &Fault{fmt.Sprintf("content key of entry %d does not open", index), restore}
	}
	return key, nil
}

// Has reports whether the content of an entry can still be opened.
func (c *ContentKeys) Has(index uint64) bool {
	_, kept := c.moved[index]
	return c.moved == nil || kept
}

// Erase destroys the keys of the given entries: all others of wraps (index → the key as its record carries it) are
// wrapped under a new content key, which replaces the old one on disk before Erase returns.
func (c *ContentKeys) Erase(fsys disk.FS, dir string, k Keys, wraps map[uint64][]byte, gone []uint64) (*ContentKeys, error) {
	next := &ContentKeys{head: c.head, moved: make(map[uint64][]byte, len(wraps))}
	next.fresh()
	for index, wrapped := range wraps {
		if slices.Contains(gone, index) || !c.Has(index) {
			continue
		}
		key, err := c.unwrap(index, wrapped)
		if err != nil {
			return nil, err
		}
		next.moved[index] = next.wrap.Seal(nil, nonce(index), key, next.additional())
	}
	if err := next.store(fsys, dir, k); err != nil {
		return nil, fmt.Errorf("replacing the content keys of segment %d: %w", c.head.Number, err)
	}
	return next, nil
}

// store writes magic ‖ salt ‖ AES-256-GCM(content key ‖ u8 moved ‖ u32 count ‖ (u64 index ‖ 48-byte wrap)…). The
// sealing key is derived with the salt, so it is used once and the nonce is zero.
func (c *ContentKeys) store(fsys disk.FS, dir string, k Keys) error {
	b := append([]byte(keysMagic), make([]byte, 32)...)
	rand.Read(b[16:])
	plain := append([]byte(nil), c.key[:]...)
	plain = append(plain, flag(c.moved != nil))
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(c.moved)))
	indices := make([]uint64, 0, len(c.moved))
	for i := range c.moved {
		indices = append(indices, i)
	}
	slices.Sort(indices)
	for _, i := range indices {
		plain = binary.BigEndian.AppendUint64(plain, i)
		plain = append(plain, c.moved[i]...)
	}
	return disk.Replace(fsys, dir, KeysName(c.head.Number), c.sealer(k, b[16:]).Seal(b, nonce(0), plain, c.additional()))
}

func (c *ContentKeys) sealer(k Keys, salt []byte) cipher.AEAD {
	return newGCM(k.derive("teapot/content-keys/v1", c.head.Origin[:], c.head.Boot[:], be64(c.head.Number), salt))
}

// OpenContentKeys reads the content keys of the segment with header h.
func OpenContentKeys(fsys disk.FS, dir string, k Keys, h Header) (*ContentKeys, error) {
	b, err := disk.ReadFile(fsys, dir+"/"+KeysName(h.Number), keysLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Fault{"the content keys " + KeysName(h.Number) + " are missing", restore}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the content keys of segment %d: %w", h.Number, err)
	}
	c := &ContentKeys{head: h}
	if len(b) < keysHeader || string(b[:16]) != keysMagic {
		return nil, c.damaged()
	}
	plain, err := c.sealer(k, b[16:48]).Open(nil, nonce(0), b[48:], c.additional())
	if err != nil || c.parse(plain) != nil {
		return nil, c.damaged()
	}
	c.wrap = newGCM(c.key[:])
	return c, nil
}

func (c *ContentKeys) damaged() error {
	return &Fault{"the content keys " + KeysName(c.head.Number) + " are damaged or another segment's", restore}
}

func (c *ContentKeys) parse(plain []byte) error {
	const one = 8 + wrappedSize
	if len(plain) < 37 || plain[32] > 1 {
		return errors.New("short")
	}
	copy(c.key[:], plain)
	n, list := int(binary.BigEndian.Uint32(plain[33:])), plain[37:]
	if len(list) != n*one || plain[32] == 0 && n > 0 {
		return errors.New("length")
	}
	if plain[32] == 1 {
		c.moved = make(map[uint64][]byte, n)
	}
	for ; len(list) > 0; list = list[one:] {
		c.moved[binary.BigEndian.Uint64(list)] = list[8:one]
	}
	return nil
}
