package tlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// TileWidth is the number of hashes in a full tile and of entries in a full bundle (C2SP tlog-tiles).
const TileWidth = 256

// Tile names one tile or entry bundle of a log. Width is 256 for a full one, 1 to 255 for a partial one.
type Tile struct {
	Entries bool // an entry bundle; Level is 0
	Level   uint // of tiles, 0 to 5: one hash stands for 256^Level leaves
	N       uint64
	Width   uint
}

// Path returns the tile's path below a log's prefix: "tile/0/x001/234.p/5".
func (t Tile) Path() string {
	level := "entries"
	if !t.Entries {
		level = strconv.FormatUint(uint64(t.Level), 10)
	}
	path := fmt.Sprintf("%03d", t.N%1000)
	for n := t.N / 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if t.Width != TileWidth {
		path += ".p/" + strconv.FormatUint(uint64(t.Width), 10)
	}
	return "tile/" + level + "/" + path
}

// ParseTilePath reads a path, canonical form only.
func ParseTilePath(path string) (Tile, error) {
	bad := func() (Tile, error) { return Tile{}, fmt.Errorf("tile path %q is malformed", clip(path)) }
	rest, ok := strings.CutPrefix(path, "tile/")
	level, rest, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 || len(path) > 100 {
		return bad()
	}
	t := Tile{Entries: level == "entries", Width: TileWidth}
	if !t.Entries {
		l, err := strconv.ParseUint(level, 10, 8)
		if err != nil || l > 5 {
			return bad()
		}
		t.Level = uint(l)
	}
	number, partial, isPartial := strings.Cut(rest, ".p/")
	if isPartial {
		w, err := strconv.ParseUint(partial, 10, 8)
		if err != nil || w == 0 {
			return bad()
		}
		t.Width = uint(w)
	}
	for part := range strings.SplitSeq(number, "/") {
		n, err := strconv.ParseUint(strings.TrimPrefix(part, "x"), 10, 16)
		if err != nil || t.N > MaxCount/1000 {
			return bad()
		}
		t.N = t.N*1000 + n
	}
	if t.Path() != path {
		return bad()
	}
	return t, nil
}

// TileWidthAt returns how many hashes (at level 0: entries) tile n of a level has in a log of this size, 0 to 256.
func TileWidthAt(level uint, n, size uint64) uint {
	hashes := size >> (8 * level)
	if n >= hashes/TileWidth+1 {
		return 0
	}
	return uint(min(hashes-n*TileWidth, TileWidth))
}

// AppendTile appends the hashes of a tile; the log must hold all of them.
func AppendTile(b []byte, t Tile, r HashReader) ([]byte, error) {
	if t.Entries || t.Width == 0 || t.Width > TileWidth || t.Level > 5 || t.N > MaxCount/TileWidth {
		return b, errors.New("tile: not a tile of hashes")
	}
	for i := range uint64(t.Width) {
		h, err := r.ReadHash(8*t.Level, t.N*TileWidth+i)
		if err != nil {
			return b, err
		}
		b = append(b, h[:]...)
	}
	return b, nil
}

// AppendEntry appends one leaf to an entry bundle: its length as u16 big endian, then its bytes.
func AppendEntry(b, leaf []byte) ([]byte, error) {
	if len(leaf) > MaxLeaf {
		return b, fmt.Errorf("entry bundle: a leaf of %d bytes, the limit is %d", len(leaf), MaxLeaf)
	}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(leaf))), leaf...), nil
}

// SplitEntries returns the leaves of an entry bundle as views into it.
func SplitEntries(b []byte) (leaves [][]byte, err error) {
	for len(b) > 0 {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) || len(leaves) == TileWidth {
			return nil, errors.New("entry bundle: cut short or too long")
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		leaves = append(leaves, b[2:n])
		b = b[n:]
	}
	return leaves, nil
}
