package natsstore

import (
	"crypto/sha256"
	"encoding/binary"
)

// chunk is a request to keep part of a long request: chunk number index of an
// upload of total bytes in chunks of size bytes, of which the last may be
// shorter.
type chunk struct {
	upload             id
	total, size, index uint64
	data               []byte
}

func (c *chunk) encode() []byte {
	b := append(make([]byte, 0, len(c.data)+idSize+32), c.upload[:]...)
	b = binary.AppendUvarint(b, c.total)
	b = binary.AppendUvarint(b, c.size)
	b = binary.AppendUvarint(b, c.index)
	return append(b, c.data...)
}

func decodeChunk(b []byte) (c chunk, err error) {
	r := reader{b: b}
	copy(c.upload[:], r.take(idSize))
	c.total, c.size, c.index = r.uvarint(), r.uvarint(), r.uvarint()
	c.data, r.b = r.b, nil
	return c, r.end()
}

// fetch is a request for size bytes of a long answer, from offset on.
type fetch struct {
	sum          digest
	offset, size uint64
}

func (f *fetch) encode() []byte {
	b := append(make([]byte, 0, sha256.Size+20), f.sum[:]...)
	b = binary.AppendUvarint(b, f.offset)
	return binary.AppendUvarint(b, f.size)
}

func decodeFetch(b []byte) (f fetch, err error) {
	r := reader{b: b}
	copy(f.sum[:], r.take(sha256.Size))
	f.offset, f.size = r.uvarint(), r.uvarint()
	return f, r.end()
}
