"""A device that stands in for a GPU: it computes on the CPU and refuses what a GPU refuses.

A tensor on it holds one of the CPU that nobody else gets to see.  An operation on such tensors and on the
CPU's at once fails as it does on a GPU, and so does ``numpy()``; single numbers and indices may come from the
CPU.  It is no GPU in what it computes with: speed, memory, rounding and autocasting are not tested here.

Importing this registers the device for the whole process, and takes over the functions that make tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "stand_in"
_CPU = torch.device("cpu")
_aten = torch.ops.aten
#: What carries from device to device.
_MOVES = (_aten._to_copy.default, _aten.copy_.default)
#: What takes the CPU's indices for a GPU's tensor.
_INDEXED = (
    _aten.index.Tensor,
    _aten._unsafe_index.Tensor,
    _aten.index_put.default,
    _aten.index_put_.default,
    _aten._index_put_impl_.default,
)
#: How many operations there were on the device.
launches = 0

_setup_privateuseone_for_python_backend(NAME)
DEVICE = torch.device(NAME, 0)


class There(Tensor):
    """A tensor on the device."""

    own: Tensor

    @staticmethod
    def __new__(cls, own: Tensor) -> There:
        made = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            own.size(),
            strides=own.stride(),
            storage_offset=own.storage_offset(),
            dtype=own.dtype,
            device=DEVICE,
        )
        made.own = own
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if torch.is_inference_mode_enabled():  # which leaves it to us to take operations apart
            found = func.decompose(*args, **kwargs)
            if found is not NotImplemented:
                return found
        return _computed(func, args, kwargs)

    def numpy(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("can't convert a GPU's tensor to numpy; use Tensor.cpu() first")

    __array__ = numpy

    def data_ptr(self) -> int:
        return self.own.data_ptr()

    def untyped_storage(self) -> Any:
        return self.own.untyped_storage()

    def tolist(self) -> Any:
        return self.own.tolist()

    def new_tensor(self, data: Any, *, dtype: torch.dtype | None = None) -> Tensor:
        return torch.tensor(data, dtype=dtype or self.dtype, device=DEVICE)

    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        return super().__getitem__(tuple(torch.tensor(i) if isinstance(i, list) else i for i in parts))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.own.__reduce_ex__(protocol)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"There({self.own})"


def _computed(func: Any, args: Any, kwargs: Any) -> Any:
    global launches
    if func is _aten._has_compatible_shallow_copy_type.default:
        return False
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    there = any(isinstance(x, There) for x in tensors)
    if there and func not in _MOVES:
        _refuse_mixed(func, [args[0]] if func in _INDEXED else tensors)
    wanted = kwargs.get("device")
    here = torch.device(wanted).type == NAME if wanted is not None else there
    launches += 1
    out = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    if func is _aten.copy_.default:
        return args[0]
    if not here:
        return out
    # What a view shows of a tensor from outside inference mode is none of that mode's either.
    usual = func.is_view and not args[0].is_inference()
    with torch.inference_mode(torch.is_inference_mode_enabled() and not usual):
        out = tree_map(lambda x: There(x) if isinstance(x, Tensor) else x, out)
    return return_and_correct_aliasing(func, args, kwargs, out) if there else out


def _refuse_mixed(func: Any, tensors: list[Tensor]) -> None:
    if any(not isinstance(x, There) and x.dim() > 0 for x in tensors):
        raise RuntimeError(f"{func}: expected all tensors to be on the same device, found {NAME} and cpu")


def _held(x: Any) -> Any:
    if isinstance(x, torch.Generator):
        raise RuntimeError(f"expected a generator of {NAME}, found the {x.device}'s")
    return x.own if isinstance(x, There) else _CPU if isinstance(x, torch.device) else x


def _moved(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Made on the CPU first: these functions resize what they fill, and what holds a tensor cannot follow."""

    def made(*args: Any, device: Any = None, **kwargs: Any) -> Tensor:
        found = make(*args, **kwargs)
        return found if device is None else found.to(device)

    return made


for _name in ("tensor", "as_tensor", "arange", "eye", "linspace", "randperm"):
    setattr(torch, _name, _moved(getattr(torch, _name)))

_library = torch.library.Library("_", "IMPL")
_library.fallback(lambda func, *args, **kwargs: _computed(func, args, kwargs), "PrivateUse1")  # type: ignore[no-untyped-call]
