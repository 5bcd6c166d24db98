#!/bin/sh
# Finds the Python that everything is installed with, and has it run the set-up: the one that PYTHON names, else the one
# that it named before (.tools/python), else the first that fits.

remembered=.tools/python

fail() {
	printf 'error: %s\n  %s\n' "$1" "$2" >&2
	exit 1
}

version_of() {
	"$1" -I -S -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

fits() {
	case $1 in 3.11 | 3.12 | 3.13 | 3.14) return 0 ;; *) return 1 ;; esac
}

another='Name another one: make up PYTHON=/path/to/python3'
if [ -n "$PYTHON" ]; then
	python=$(command -v -- "$PYTHON") || fail "There is no Python at $PYTHON, which PYTHON names" "$another"
	case $python in /*) ;; *) python=$PWD/$python ;; esac
	version=$(version_of "$python") || fail "$python, which PYTHON names, is no Python, or can't be run" "$another"
	fits "$version" || fail "$python is Python $version; Parley needs 3.11 to 3.14" "$another"
elif [ -s "$remembered" ]; then
	python=$(cat "$remembered")
	version=$(version_of "$python") ||
		fail "The Python that this was set up with is gone: $python" "$another (or forget this one: rm $remembered)"
	fits "$version" || fail "$python has become Python $version; Parley needs 3.11 to 3.14" "$another"
else
	for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
		version=$(version_of "$candidate") && fits "$version" && python=$candidate && break
	done
	[ -n "$python" ] || fail "No Python from 3.11 to 3.14 was found" "Install one, or name it: make up PYTHON=/path/to/python3"
fi

# It loads nothing but what comes with it: what a machine has it load besides can be slow, or broken.
# CALMLY is what has Ctrl-C wait until it can end without a traceback (see the Makefile).
exec $CALMLY "$python" -I -S local/setup.py ${PYTHON:+--remember "$python"}
