//go:build linux

package devattest

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// mount plays with FUSE.
func (d *device) mount(dir string) (*Played, error) {
	root := &directory{device: d, fill: (*directory).addDevice}
	options := &fs.Options{MountOptions: fuse.MountOptions{
		AllowOther:        os.Geteuid() == 0,
		DirectMountStrict: os.Geteuid() == 0, // containers have no fusermount, which everybody else needs
		FsName:            "teapot-simulated-attestation",
		Name:              "teapot",
	}}
	server, err := fs.Mount(dir, root, options)
	if err != nil {
		return nil, err
	}
	return &Played{How: "FUSE", close: func() error {
		if server.Unmount() == nil {
			return nil
		}
		return unix.Unmount(dir, unix.MNT_DETACH) // somebody still has a file open: they keep it, the directory is free
	}}, nil
}

// clearDeadMount removes the mount that a simulator left when it was killed.
func clearDeadMount(dir string) {
	if _, err := os.ReadDir(dir); errors.Is(err, unix.ENOTCONN) {
		_ = unix.Unmount(dir, unix.MNT_DETACH) // if it does not go, the next step says so
	}
}

// directory is /dev/attestation or its keys/.
type directory struct {
	fs.Inode
	device *device
	fill   func(*directory, context.Context)
}

// OnAdd fills the directory once it is part of the tree.
func (n *directory) OnAdd(ctx context.Context) { n.fill(n, ctx) }

func (n *directory) addDevice(ctx context.Context) {
	d := n.device
	plain := func(content func() []byte) func(context.Context) ([]byte, error) {
		return func(context.Context) ([]byte, error) { return content(), nil }
	}
	n.add(ctx, "attestation_type", &file{read: plain(func() []byte { return []byte("dcap") })})
	n.add(ctx, "my_target_info", &file{read: plain(d.myTargetInfo)})
	n.add(ctx, "target_info", &file{size: targetInfoSize, write: d.setTargetInfo, read: plain(func() []byte {
		d.mu.Lock()
		defer d.mu.Unlock()
		return append([]byte{}, d.targetInfo[:]...)
	})})
	n.add(ctx, "user_report_data", &file{size: reportDataSize, write: d.setReportData, read: plain(func() []byte {
		value := d.currentReportData()
		return value[:]
	})})
	n.add(ctx, "report", &file{read: plain(d.report)})
	n.add(ctx, "quote", &file{read: d.quote})
	keys := &directory{device: d, fill: (*directory).addKeys}
	n.AddChild("keys", n.NewPersistentInode(ctx, keys, fs.StableAttr{Mode: fuse.S_IFDIR}), false)
}

func (n *directory) addKeys(ctx context.Context) {
	for _, name := range sealingKeys() {
		n.add(ctx, name, &file{read: func(context.Context) ([]byte, error) { return n.device.sealingKey(name) }})
	}
}

func (n *directory) add(ctx context.Context, name string, f *file) {
	n.AddChild(name, n.NewPersistentInode(ctx, f, fs.StableAttr{Mode: fuse.S_IFREG}), false)
}

// Create lets programs set keys of their own in keys/ and nothing else anywhere.
func (n *directory) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	if n.IsRoot() {
		return nil, nil, 0, syscall.EACCES
	}
	d := n.device
	key := &file{size: sealingKeySize, exact: true, write: func(value []byte) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.keys[name] = append([]byte{}, value...)
	}, read: func(context.Context) ([]byte, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.keys[name], nil
	}}
	child := n.NewPersistentInode(ctx, key, fs.StableAttr{Mode: fuse.S_IFREG})
	n.AddChild(name, child, true)
	out.Mode = key.mode()
	handle, flags, errno := key.Open(ctx, syscall.O_WRONLY)
	return child, handle, flags, errno
}

// file is a pseudo-file. Content is made when it is opened and belongs to that opening: the state behind it may change, what
// was opened does not. One write replaces the whole value.
type file struct {
	fs.Inode
	size  int  // largest value that can be written
	exact bool // only values of exactly that size
	read  func(context.Context) ([]byte, error)
	write func([]byte)
}

func (f *file) mode() uint32 {
	if f.write != nil {
		return 0o666
	}
	return 0o444
}

// Getattr shows size 0: readers then read to the end, and the size is not known before.
func (f *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = fuse.S_IFREG | f.mode()
	return 0
}

// Setattr accepts the truncation that comes with opening for writing.
func (f *file) Setattr(ctx context.Context, h fs.FileHandle, _ *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if f.write == nil {
		return syscall.EACCES
	}
	return f.Getattr(ctx, h, out)
}

// Open makes the content. Like Gramine, it answers EACCES when no quote can be made.
func (f *file) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	h := &handle{file: f}
	if flags&syscall.O_ACCMODE != syscall.O_RDONLY && f.write == nil {
		return nil, 0, syscall.EACCES
	}
	if flags&syscall.O_ACCMODE != syscall.O_WRONLY {
		content, err := f.read(ctx)
		if err != nil {
			return nil, 0, syscall.EACCES
		}
		h.content = content
	}
	return h, fuse.FOPEN_DIRECT_IO, 0
}

// handle is one opening of a file.
type handle struct {
	file    *file
	content []byte
}

// Read returns a part of the content of this opening, never more than was asked for.
func (h *handle) Read(_ context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	from := min(off, int64(len(h.content)))
	return fuse.ReadResultData(h.content[from:min(from+int64(len(dest)), int64(len(h.content)))]), 0
}

// Write replaces the value.
func (h *handle) Write(_ context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if off != 0 || len(data) > h.file.size || h.file.exact && len(data) != h.file.size {
		return 0, syscall.EINVAL
	}
	h.file.write(data)
	return uint32(len(data)), 0
}

var (
	_ fs.NodeOnAdder   = (*directory)(nil)
	_ fs.NodeCreater   = (*directory)(nil)
	_ fs.NodeGetattrer = (*file)(nil)
	_ fs.NodeSetattrer = (*file)(nil)
	_ fs.NodeOpener    = (*file)(nil)
	_ fs.FileReader    = (*handle)(nil)
	_ fs.FileWriter    = (*handle)(nil)
)
