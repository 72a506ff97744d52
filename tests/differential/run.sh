#!/usr/bin/env bash
# run.sh INTERPRETER [--soak N] [--seed S] [--program FILE]: compares uvawait
# with CPython's asyncio on random programs; README.md tells more. INTERPRETER
# is differential_interpret, as built. Without a Python that has task groups it
# says so and ends with 77.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

python=''
for name in python3 python3.14 python3.13 python3.12 python3.11 \
    /usr/bin/python3; do
    if "$name" -c 'import asyncio; asyncio.TaskGroup, asyncio.timeout' \
        2>/dev/null; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    echo "there is no python3 of 3.11 or newer (Debian: python3)"
    exit 77
fi

# -B: leaves nothing behind beside the sources.
exec "$python" -B "$here/differential.py" "$@"
