"""The libraries that labs and our own programs use, imported once for all runs.

Importing leaves one thread and reads nothing of a run: every run inherits what is
in memory here, and a fork that took a second thread's lock with it would hang.
"""

import gc
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from weakref import finalize

from lab_env.inside.large_pages import use_large_pages

# Set for the import alone. pyarrow starts a thread otherwise; matplotlib reads its
# backend once, and in a notebook it is this one.
WHILE_IMPORTING = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
# One needs 2 CPU seconds for a grammar that no notebook uses, the other brings a
# hundred modules for a debugger that nobody can reach.
LEFT_OUT = ("rfc3987_syntax", "debugpy")
# pyplot is not here: it ties itself to the kernel in which it is imported.
MODULES = (
    "numpy",
    "pandas",
    "pandas.io.formats.html",
    "pyarrow.csv",
    "pyarrow.parquet",
    "scipy.io",
    "scipy.sparse",
    "sklearn.dummy",
    "sklearn.feature_extraction.text",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.naive_bayes",
    "sklearn.pipeline",
    "sklearn.svm",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "matplotlib.font_manager",
    "matplotlib_inline.config",
    "torch",
    "torch._dynamo",
    "torch.optim",
    "torch.utils.data",
    "torch.utils.serialization",
    "safetensors.torch",
    "tokenizers",
    "accelerate",
    "transformers",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.bert.modeling_bert",
    "transformers.models.modernbert.modeling_modernbert",
    "transformers.trainer",
    "transformers.training_args",
    "datasets",
    "nbformat",
    "nbclient",
    "jupyter_client.asynchronous",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.kernelspec",
    "ipykernel.zmqshell",
    # What a kernel imports late: before its first answer, or for its first error.
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "encodings.idna",
    "matplotlib.style",
    "pygments.formatters.terminal256",
    "sqlite3",
    "stack_data",
    "tornado.gen",
    "tornado.platform.asyncio",
    "tornado.queues",
    "lab_env.inside.forked_kernel",
)
WHERE_INSTALLED = ("peft", "ipywidgets")
# Others import it for us, and like pyplot it ties itself to the kernel it is imported
# in: there it is imported again.
TIED = "matplotlib_inline.backend_inline"


def import_all() -> None:
    """Import the libraries, then let no later collection touch what they made."""
    before = dict(os.environ)
    os.environ.update(WHILE_IMPORTING)
    for name in LEFT_OUT:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in (*MODULES, *filter(find_spec, WHERE_INSTALLED)):
        import_module(name)
    for name in (*LEFT_OUT, TIED):
        del sys.modules[name]
    make_once()
    # Some leave a variable behind; a cold start has none of them.
    os.environ.clear()
    os.environ.update(before)
    for finalizer in list(finalize._registry):  # type: ignore[attr-defined]
        # What the libraries take down at their end, the kernel does in no time.
        finalizer.atexit = False
    gc.collect()
    gc.disable()
    gc.freeze()
    use_large_pages()


def make_once() -> None:
    """Make what the libraries make at first use, and is the same for every run."""
    from jupyter_client.provisioning.factory import KernelProvisionerFactory
    from nbformat import v4, validate

    # Compiles the schema of notebooks: as much as a kernel needs to start.
    validate(v4.new_notebook())  # type: ignore[no-untyped-call]
    KernelProvisionerFactory.instance()
