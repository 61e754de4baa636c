module sealpy.dev/tests/tools/goyaml

go 1.25.8

require go.yaml.in/yaml/v3 v3.0.4
