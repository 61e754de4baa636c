// Command etcd is the server of etcd. Its own main package is called server, and so would be the program.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
