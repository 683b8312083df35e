package tlog

import (
	"bytes"
	"slices"
	"testing"
)

func TestTilePaths(t *testing.T) {
	for want, tile := range map[string]Tile{
		"tile/0/000":                 {Width: 256},
		"tile/0/x001/000":            {N: 1000, Width: 256},
		"tile/0/x001/x234/067":       {N: 1234067, Width: 256},
		"tile/2/000.p/1":             {Level: 2, Width: 1},
		"tile/entries/x001/x234/067": {Entries: true, N: 1234067, Width: 256},
		"tile/entries/273.p/112":     {Entries: true, N: 273, Width: 112},
	} {
		if got := tile.Path(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, err := ParseTilePath(want); err != nil || got != tile {
			t.Errorf("%s: %+v %v", want, got, err)
		}
	}
	for _, bad := range []string{
		"", "tile", "tile/0", "tile/0/", "tile/6/000", "tile/-1/000", "tile/00/000", "tile/0/0", "tile/0/0000", "tile/0/x000/000", "tile/0/001/000",
		"tile/0/x001/x000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/entries/000.p/x", "tile/0/../000",
		"tile/0/x999/x999/x999/x999/x999/x999/999", "/tile/0/000", "tile/0/000/", "tile/0/+01",
	} {
		if got, err := ParseTilePath(bad); err == nil {
			t.Errorf("%q gave %+v", bad, got)
		}
	}
}

func TestTileWidths(t *testing.T) {
	for _, c := range []struct {
		level   uint
		n, size uint64
		want    uint
	}{
		{0, 0, 0, 0},
		{0, 0, 1, 1},
		{0, 0, 256, 256},
		{0, 1, 256, 0},
		{1, 0, 256, 1},
		{0, 272, 70000, 256},
		{0, 273, 70000, 112},
		{0, 274, 70000, 0},
		{1, 0, 70000, 256},
		{1, 1, 70000, 17},
		{2, 0, 70000, 1},
		{3, 0, 70000, 0},
		{0, 1 << 60, 70000, 0},
	} {
		if got := TileWidthAt(c.level, c.n, c.size); got != c.want {
			t.Errorf("level %d tile %d size %d: got %d, want %d", c.level, c.n, c.size, got, c.want)
		}
	}
}

func TestTilesHoldTheHashes(t *testing.T) {
	s := entries(700)
	full, err := AppendTile(nil, Tile{N: 1, Width: 256}, s)
	if err != nil || len(full) != 8192 {
		t.Fatal(len(full), err)
	}
	upper, err := AppendTile(nil, Tile{Level: 1, Width: 2}, s)
	if err != nil {
		t.Fatal(err)
	}
	var tree Tree
	for part := range slices.Chunk(full, 32) {
		tree.Append(Hash(part))
	}
	if root := tree.Root(); !bytes.Equal(upper[32:], root[:]) {
		t.Error("the second hash of level 1 is not the root of the second tile")
	}
	for _, bad := range []Tile{{N: 2, Width: 189}, {Level: 1, Width: 3}, {Level: 6, Width: 1}, {Width: 0}, {Entries: true, Width: 1}, {N: 1 << 60, Width: 1}} {
		if _, err := AppendTile(nil, bad, s); err == nil {
			t.Errorf("%+v was made", bad)
		}
	}
}

func TestEntryBundles(t *testing.T) {
	var b []byte
	want := [][]byte{[]byte("a"), {}, bytes.Repeat([]byte{1}, MaxLeaf)}
	for _, e := range want {
		var err error
		if b, err = AppendEntry(b, e); err != nil {
			t.Fatal(err)
		}
	}
	got, err := SplitEntries(b)
	if err != nil || !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("%d entries, %v", len(got), err)
	}
	if _, err := AppendEntry(nil, make([]byte, MaxLeaf+1)); err == nil {
		t.Error("a leaf above the limit was taken")
	}
	for _, bad := range [][]byte{b[:len(b)-1], {0}, {0, 1}, make([]byte, 2*257)} {
		if _, err := SplitEntries(bad); err == nil {
			t.Errorf("%d bytes were split", len(bad))
		}
	}
}

func FuzzTilePath(f *testing.F) {
	f.Add("tile/entries/x001/x234/067.p/4")
	f.Add("tile/3/000")
	f.Fuzz(func(t *testing.T, path string) {
		if tile, err := ParseTilePath(path); err == nil && tile.Path() != path {
			t.Errorf("%q became %q", path, tile.Path())
		}
	})
}
