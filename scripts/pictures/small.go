package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
)

// maxPicture is the size that a picture may have, in bytes.
const maxPicture = 140_000

// small returns a picture as a PNG of at most maxPicture bytes. It drops the low bits of colours until that is so: most
// pages need nothing dropped.
func small(picture []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	for bits := 0; ; bits++ {
		var b bytes.Buffer
		if err := encoder.Encode(&b, rounded(full, bits)); err != nil {
			return nil, err
		}
		if b.Len() <= maxPicture || bits == 5 {
			return b.Bytes(), nil
		}
	}
}

// rounded returns a picture with colours at multiples of a power of two.
func rounded(full image.Image, bits int) image.Image {
	bounds := full.Bounds()
	round := func(channel uint32) uint8 { // of 16 bits
		step := 1 << bits
		return uint8(min(255, (int(channel>>8)+step/2)/step*step))
	}
	few := image.NewRGBA(bounds)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b, _ := full.At(x, y).RGBA()
			few.SetRGBA(x, y, color.RGBA{round(r), round(g), round(b), 255})
		}
	}
	return few
}
