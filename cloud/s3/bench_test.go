package s3_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud/door"
	service "ouro/cloud/s3"
	"ouro/cloud/store"
)

// The benchmarks call the service's methods, without client and wire.

func newService(b *testing.B) *service.Service {
	b.Helper()
	st, err := store.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	d := door.New(door.Options{Store: st})
	b.Cleanup(func() {
		d.Close()
		st.Close()
	})
	s := service.New(d)
	ctx := door.WithCaller(b.Context(), door.Caller{Account: account, Region: "us-east-1"})
	if _, err := s.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("bucket")}); err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkPutObject2KB(b *testing.B) {
	for _, parallel := range []bool{false, true} {
		b.Run(map[bool]string{false: "alone", true: "parallel"}[parallel], func(b *testing.B) {
			s := newService(b)
			body := make([]byte, 2<<10)
			put := func(i int) {
				fresh := bytes.Clone(body)
				rand.Read(fresh)
				_, err := s.PutObject(b.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String(fmt.Sprintf("%x/%d", fresh[:8], i)), Body: bytes.NewReader(fresh)})
				if err != nil {
					b.Error(err)
				}
			}
			b.ReportAllocs()
			if !parallel {
				for i := 0; b.Loop(); i++ {
					put(i)
				}
				return
			}
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					put(i)
				}
			})
		})
	}
}

func BenchmarkListObjectsV2(b *testing.B) {
	s := newService(b)
	const many = 100_000
	for i := range many {
		_, err := s.PutObject(b.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String(fmt.Sprintf("d%03d/%06d", i%1000, i)), Body: bytes.NewReader([]byte("x"))})
		if err != nil {
			b.Fatal(err)
		}
	}
	for name, in := range map[string]*s3.ListObjectsV2Input{
		"1000keys":     {Bucket: aws.String("bucket"), StartAfter: aws.String("d500/")},
		"1000prefixes": {Bucket: aws.String("bucket"), Delimiter: aws.String("/")},
		"oneprefix":    {Bucket: aws.String("bucket"), Prefix: aws.String("d7"), Delimiter: aws.String("7")},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				out, err := s.ListObjectsV2(b.Context(), in)
				if err != nil || *out.KeyCount == 0 {
					b.Fatal(err, out)
				}
			}
		})
	}
}
