# The front door. Everything is done by scripts/ and CMake; a plain cmake build works as well.

.PHONY: run build test bench crash bodies coverage fuzz format clean

run: build
	@scripts/run

build:
	@scripts/install build
	@test -f build/release/build.ninja || cmake --preset release -DTAUT_TESTS=OFF
	@ninja -C build/release

test:
	@scripts/install test
	@scripts/test $(ONLY)

bench:
	@scripts/install test
	@scripts/test build/gcc
	@BUILD=$(CURDIR)/build/gcc TAUT=$(CURDIR)/build/gcc/bin/taut tests/bench/run.sh

crash:
	@scripts/install test
	@scripts/test build/gcc
	@BUILD=$(CURDIR)/build/gcc TAUT=$(CURDIR)/build/gcc/bin/taut tests/crash/run.sh long

bodies:
	@scripts/install test
	@scripts/test build/gcc
	@bash -c '. scripts/lib.sh && BODY_MIB=1024 TAUT=$(CURDIR)/build/gcc/bin/taut "$$(node_program)" --test --test-force-exit tests/e2e/bodies.test.mjs'

coverage:
	@scripts/install test
	@tests/coverage/run.sh

fuzz:
	@scripts/install test
	@tests/fuzz/run.sh 60

format:
	@find include core modules tests -name '*.[ch]' -not -path 'tests/abi/[0-9]*' -print0 | xargs -0 clang-format -i

clean:
	rm -rf build
