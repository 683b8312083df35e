package index

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/teapot-tee/teapot/actionlog/disk"
)

const (
	pageSize  = 4096
	tagSize   = 16
	fileName  = "index.db"
	tagsName  = "index.tags"
	tagsMagic = "TEAPOT-INDEX\x00\x00\x00\x01"
)

// errChanged says that a page is not the one that was written: the host changed it or put an older one back.
var errChanged = errors.New("a page of the query index was changed on disk")

// pages is the database file below the encryption. It keeps a hash of every page in memory and compares each page that
// is read, so that a host cannot put single blocks back unnoticed. It is the one file of its own little VFS: locks are
// not needed (the store's lock keeps others out), and there is no journal, because an index that was not closed cleanly
// is thrown away.
type pages struct {
	file disk.File
	tags [][tagSize]byte
}

func tagOf(page []byte) [tagSize]byte {
	sum := sha256.Sum256(page)
	return [tagSize]byte(sum[:tagSize])
}

// ReadAt reads one page; the encryption above asks for nothing else.
func (p *pages) ReadAt(b []byte, off int64) (int, error) {
	n := off / pageSize
	if off%pageSize != 0 || len(b) != pageSize {
		return 0, sqlite3.IOERR_READ
	}
	if n >= int64(len(p.tags)) {
		return 0, io.EOF
	}
	if m, err := p.file.ReadAt(b, off); m != pageSize {
		return m, err
	}
	if tagOf(b) != p.tags[n] {
		return 0, errors.Join(sqlite3.IOERR_DATA, errChanged)
	}
	return pageSize, nil
}

// WriteAt writes one page.
func (p *pages) WriteAt(b []byte, off int64) (int, error) {
	n := off / pageSize
	if off%pageSize != 0 || len(b) != pageSize || n > int64(len(p.tags)) {
		return 0, sqlite3.IOERR_WRITE
	}
	if m, err := p.file.WriteAt(b, off); err != nil {
		return m, err
	}
	if n == int64(len(p.tags)) {
		p.tags = append(p.tags, [tagSize]byte{})
	}
	p.tags[n] = tagOf(b)
	return pageSize, nil
}

func (p *pages) Size() (int64, error) { return int64(len(p.tags)) * pageSize, nil }

// Truncate is never asked for: nothing is vacuumed.
func (p *pages) Truncate(int64) error { return sqlite3.IOERR_TRUNCATE }

func (p *pages) Sync(vfs.SyncFlag) error          { return nil } // Close syncs, once
func (p *pages) Lock(vfs.LockLevel) error         { return nil }
func (p *pages) Unlock(vfs.LockLevel) error       { return nil }
func (p *pages) CheckReservedLock() (bool, error) { return false, nil }
func (p *pages) SectorSize() int                  { return pageSize }
func (p *pages) Close() error                     { return nil } // the Index closes the file

func (p *pages) DeviceCharacteristics() vfs.DeviceCharacteristic { return 0 }

// Open, Delete, Access and FullPathname make pages a VFS that knows one file.
type single struct{ file *pages }

func (s single) Open(_ string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if flags&vfs.OPEN_MAIN_DB == 0 {
		return nil, flags, sqlite3.CANTOPEN
	}
	return s.file, flags, nil
}

func (s single) Delete(string, bool) error                   { return sqlite3.IOERR_DELETE_NOENT }
func (s single) Access(string, vfs.AccessFlag) (bool, error) { return false, nil }
func (s single) FullPathname(name string) (string, error)    { return name, nil }

// loadTags reads the hashes that a clean close left and removes the file: until the next clean close there are none.
func loadTags(fsys disk.FS, key [32]byte) ([][tagSize]byte, error) {
	b, err := disk.ReadFile(fsys, tagsName, 1<<30)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(fsys.Remove(tagsName), fsys.SyncDir(".")); err != nil {
		return nil, err
	}
	if len(b) < 48 || string(b[:16]) != tagsMagic {
		return nil, errors.New("not the hashes of a query index")
	}
	plain, err := sealer(key, b[16:48]).Open(nil, make([]byte, 12), b[48:], b[:48])
	if err != nil || len(plain)%tagSize != 8 || binary.BigEndian.Uint64(plain) != uint64(len(plain)-8)/tagSize {
		return nil, errors.New("the hashes of the query index do not open")
	}
	tags := make([][tagSize]byte, 0, len(plain)/tagSize)
	for rest := plain[8:]; len(rest) > 0; rest = rest[tagSize:] {
		tags = append(tags, [tagSize]byte(rest))
	}
	return tags, nil
}

// storeTags writes magic ‖ random salt ‖ AES-256-GCM(u64 number of pages ‖ 16 bytes for each) after the pages themselves are
// durable. The sealing key is derived with the salt, so it is used once and the nonce is zero.
func storeTags(fsys disk.FS, key [32]byte, tags [][tagSize]byte) error {
	b := append([]byte(tagsMagic), make([]byte, 32)...)
	rand.Read(b[16:])
	plain := binary.BigEndian.AppendUint64(nil, uint64(len(tags)))
	for i := range tags {
		plain = append(plain, tags[i][:]...)
	}
	return disk.Replace(fsys, ".", tagsName, sealer(key, b[16:]).Seal(b, make([]byte, 12), plain, b))
}

func sealer(key [32]byte, salt []byte) cipher.AEAD {
	derived, err := hkdf.Key(sha256.New, key[:], salt, "teapot/index-tags/v1", 32)
	if err == nil {
		var block cipher.Block
		if block, err = aes.NewCipher(derived); err == nil {
			var aead cipher.AEAD
			if aead, err = cipher.NewGCM(block); err == nil {
				return aead
			}
		}
	}
	panic("internal: sealing key: " + err.Error())
}

// openFile opens the database file with the hashes of its pages, or begins an empty one.
func openFile(fsys disk.FS, key [32]byte) (*pages, error) {
	tags, err := loadTags(fsys, key)
	if err == nil {
		f, err := fsys.Open(fileName)
		if err == nil {
			return &pages{f, tags}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if err := remove(fsys); err != nil {
		return nil, err
	}
	f, err := fsys.Create(fileName)
	if err != nil {
		return nil, fmt.Errorf("creating the query index: %w", err)
	}
	return &pages{file: f}, nil
}

// remove deletes what is left of an index.
func remove(fsys disk.FS) error {
	for _, name := range []string{fileName, tagsName, tagsName + ".new"} {
		if err := fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the query index: %w", err)
		}
	}
	return nil
}
