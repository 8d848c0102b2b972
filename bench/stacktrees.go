package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"ouro/cloud"
)

// chainLength is how many stacks, one in the other, hang from each of the
// root's children in the deep tree.
const chainLength = 10

// leafBody is a stack of a few parameters at the end of a tree.
const leafBody = `{"Parameters":{"Name":{"Type":"String"}},"Resources":{
"A":{"Type":"AWS::SSM::Parameter","Properties":{"Name":{"Fn::Sub":"/${Name}/a"},"Type":"String","Value":"1"}},
"B":{"Type":"AWS::SSM::Parameter","Properties":{"Name":{"Fn::Sub":"/${Name}/b"},"Type":"String","Value":{"Ref":"A"}}},
"C":{"Type":"AWS::SSM::Parameter","Properties":{"Name":{"Fn::Sub":"/${Name}/c"},"Type":"String","Value":{"Ref":"A"}}}},
"Outputs":{"Name":{"Value":{"Ref":"B"}}}}`

// linkBody is a leaf that has a stack inside: the link below it.
func linkBody(url string) string {
	inner := fmt.Sprintf(`"Inner":{"Type":"AWS::CloudFormation::Stack","Properties":{"TemplateURL":%q,"Parameters":{"Name":{"Fn::Sub":"${Name}/i"}}}},`, url)
	return strings.Replace(leafBody, `"Resources":{`, `"Resources":{`+inner, 1)
}

// rootBody is a stack of n stacks.
func rootBody(url string, n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(`"S%d":{"Type":"AWS::CloudFormation::Stack","Properties":{"TemplateURL":%q,"Parameters":{"Name":"s%d"}}}`, i, url, i)
	}
	return `{"Resources":{` + strings.Join(parts, ",") + `}}`
}

// measureTrees measures a flat and a deep tree of nested stacks.
func measureTrees(ctx context.Context, s stackServer, n int) (t *table, err error) {
	running, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, running.close()) }()
	leaf, err := running.upload(ctx, "leaf.json", leafBody)
	if err != nil {
		return nil, err
	}
	link := leaf
	for i := 1; i < chainLength; i++ {
		if link, err = running.upload(ctx, fmt.Sprintf("link%d.json", i), linkBody(link)); err != nil {
			return nil, err
		}
	}
	t = &table{left: 1, head: []string{"nested stacks of three parameters", "create", "nothing to update", "delete"}}
	for _, tree := range []struct{ name, body string }{
		{fmt.Sprintf("%d in one", n), rootBody(leaf, n)},
		{fmt.Sprintf("%d in one, %d deep", n/chainLength*chainLength, chainLength), rootBody(link, n/chainLength)},
	} {
		var all [3][]time.Duration
		for range s.runs {
			took, err := lifeOfTree(ctx, running.stacks(), tree.body)
			if err != nil {
				return nil, err
			}
			for i, d := range took {
				all[i] = append(all[i], d)
			}
		}
		t.add(tree.name, seconds(median(all[0])), seconds(median(all[1])), seconds(median(all[2])))
	}
	return t, nil
}

// upload puts a template where nested stacks find it.
func (s *server) upload(ctx context.Context, key, body string) (url string, err error) {
	const bucket = "templates"
	client := s3.NewFromConfig(s.config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		return "", err
	}
	_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(body)})
	return s.url + "/" + bucket + "/" + key, err
}

func lifeOfTree(ctx context.Context, on stacks, body string) (took [3]time.Duration, err error) {
	if took[0], err = on.create(ctx, "tree", body); err != nil {
		return took, err
	}
	start := time.Now()
	if _, err := on.update(ctx, "tree", body); err == nil || !strings.Contains(err.Error(), "No updates are to be performed.") {
		return took, fmt.Errorf("an update without a change gives %w", err)
	}
	took[1] = time.Since(start)
	took[2], err = on.delete(ctx, "tree")
	return took, err
}

// measureMemory fills a server with stacks of as many parameters as fit, and
// tells what they take up: in a process of its own, in this one's heap, and on
// the disk.
func measureMemory(ctx context.Context, s stackServer, n int) (*table, error) {
	resident, size, err := residentMemory(ctx, s, n)
	if err != nil {
		return nil, err
	}
	heap, err := heapMemory(ctx, n)
	if err != nil {
		return nil, err
	}
	t := &table{left: 1, head: []string{"takes up", "before", "after", "a resource"}}
	for _, row := range []struct {
		name          string
		before, after int64
	}{{"resident memory", resident[0], resident[1]}, {"heap in use", heap[0], heap[1]}, {"state on disk", size[0], size[1]}} {
		t.add(fmt.Sprintf("%d parameters: %s", n, row.name), megabytes(row.before), megabytes(row.after), fmt.Sprintf("%d bytes", (row.after-row.before)/int64(n)))
	}
	return t, nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// fill makes stacks of n parameters in all.
func fill(ctx context.Context, on stacks, n int) error {
	for i := 0; n > 0; i++ {
		name, size := fmt.Sprintf("part%d", i), min(n, maxResources)
		if _, err := on.create(ctx, name, flat(name, size, "1")); err != nil {
			return err
		}
		n -= size
	}
	return nil
}

// residentMemory gives the resident memory of a server before and after it is
// filled, and the size of its state once it has ended.
func residentMemory(ctx context.Context, s stackServer, n int) (memory, size [2]int64, err error) {
	running, err := s.start(ctx)
	if err != nil {
		return memory, size, err
	}
	defer func() {
		err = errors.Join(err, running.close())
		if err == nil {
			size[1], err = sizeOf(running.state)
		}
	}()
	if memory[0], err = running.resident(ctx); err != nil {
		return memory, size, err
	}
	if size[0], err = sizeOf(running.state); err != nil {
		return memory, size, err
	}
	if err := fill(ctx, running.stacks(), n); err != nil {
		return memory, size, err
	}
	memory[1], err = running.resident(ctx)
	return memory, size, err
}

// heapMemory gives what a local cloud in this process has in use, after garbage
// was collected, before and after it is filled.
func heapMemory(ctx context.Context, n int) (heap [2]int64, err error) {
	dir, err := os.MkdirTemp("", "ouro-bench-")
	if err != nil {
		return heap, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return heap, err
	}
	here, err := cloud.Start(ctx, l, cloud.Options{Dir: dir})
	if err != nil {
		return heap, err
	}
	defer func() { err = errors.Join(err, here.Close()) }()
	heap[0] = inUse()
	on := server{config: (&local{url: here.URL}).config()}
	if err := fill(ctx, on.stacks(), n); err != nil {
		return heap, err
	}
	heap[1] = inUse()
	return heap, nil
}

func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
