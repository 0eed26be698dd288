"""How one image is optimised: L-BFGS or Adam with restarts and checkpoints, alone or in step with others."""

import logging
import math
import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from texalign import checkpoint
from texalign.errors import InputError

log = logging.getLogger(__name__)

OPTIMIZERS = ("lbfgs", "adam")
STARTS = ("noise", "coarse")

#: What the optimiser sees at the start. The loss is scaled to it, whatever its unit: L-BFGS of torch
#: forgets every step that gains less than 1e-10.
START = 1e6


@dataclass(frozen=True)
class Settings:
    """How an image is optimised.

    Attributes
    ----------
    optimizer : {'lbfgs', 'adam'}
        L-BFGS with a line search for the strong Wolfe conditions, or Adam.
    iterations : int
        Steps; one of L-BFGS takes about 1.1 evaluations of the loss.
    history : int
        Steps that L-BFGS remembers; each is two images in memory. With EfficientNet-Lite0 at 128 px,
        500 steps ended at a loss of 18, 7.4, 2.8 and 1.6 with 10, 30, 100 and 400, the last in
        twice the time.
    learning_rate : float, optional
        1 for L-BFGS and 0.05 for Adam where none is given; Adam's halves with each restart.
    noise_mean, noise_std : float
        Of the initial image, in units of the network's normalised input. The misalignment paper
        says N(0, 1); its authors' program takes N(0.5, 0.2).
    start : {'noise', 'coarse'}, optional
        From the noise; or from coarse to fine: noise with the exemplar's spectrum, optimised at a
        quarter of the size or the smallest that the network can read, is enlarged and optimised again,
        see `synthesis.pyramid`. Where none is given, from coarse to fine for balanced weights.
    bounds : bool
        Keep every pixel within the displayable range, by optimising u in (1 + sin u)/2. Without
        it, what lies outside is cut off at the end, and the image as shown has another loss than
        the optimiser reached: 1.3 to 4,000 times as much in trials, against 1.05 with bounds.
    restarts : int
        How often a loss that is not finite, or a line search that finds nothing lower, may send
        the optimiser back to the best image so far, with its memory emptied.
    checkpoint_every : int
        Steps between checkpoints. One takes the disk space of 2 · `history` images in float32.
    """

    optimizer: str = "lbfgs"
    iterations: int = 500
    history: int = 100
    learning_rate: float | None = None
    noise_mean: float = 0.0
    noise_std: float = 1.0
    start: str | None = None
    bounds: bool = True
    restarts: int = 5
    checkpoint_every: int = 25

    def __post_init__(self):
        if self.optimizer not in OPTIMIZERS:
            raise InputError(f"optimizer: {self.optimizer!r} is unknown; allowed: {', '.join(OPTIMIZERS)}")
        if self.start not in (None, *STARTS):
            raise InputError(f"start: {self.start!r} is unknown; allowed: {', '.join(STARTS)}")
        for name, least in (("iterations", 0), ("history", 1), ("restarts", 0), ("checkpoint_every", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name}: {getattr(self, name)} given; at least {least} is needed")
        for name in ("learning_rate", "noise_mean", "noise_std"):
            value, above = getattr(self, name), " above 0" * (name != "noise_mean")
            if value is not None and not (math.isfinite(value) and (value > 0 or not above)):
                raise InputError(f"{name}: {value} given; a finite number{above} is needed")


class NotFiniteError(ArithmeticError):
    """The loss or its gradient is NaN or infinite."""


class Evaluation(NamedTuple):
    """A point with what is known of it."""

    point: torch.Tensor
    gradient: torch.Tensor
    layers: list

    @property
    def loss(self):
        """The sum over the layers."""
        return sum(self.layers)


class Descent:
    """The optimisation of one image: a point, its optimiser, and what happened so far.

    The point is the image in normalised units, or its angle u where the image is bounded.

    Parameters
    ----------
    index : int
        Number of the image among those that are optimised together.
    image : Tensor, shape (3, H, W)
        Where to begin, in normalised units.
    objective : synthesis.Objective
    settings : Settings
    identity : dict
        Plain values; what must agree, besides the settings, for a checkpoint to be gone on with.
    path : str or Path, optional
        Where to keep the state, a checkpoint. The descent goes on from one that is there.
    """

    #: What a checkpoint holds besides the optimiser and the evaluations.
    STATE = ("step", "evaluations", "seconds", "restarts", "restarted_at", "draw", "done", "scale", "trace")

    def __init__(self, index, image, objective, settings, identity=None, path=None):
        self.index, self.objective, self.settings = index, objective, settings
        self.identity, self.path = identity or {}, Path(path) if path else None
        self.point = self._to_point(image)
        self.last = self.best = None
        self.step = self.evaluations = self.restarts = self.draw = 0
        self.seconds, self.restarted_at, self.scale = 0.0, math.inf, None
        self.done, self.trace, self.begun = False, [], ""
        self.optimizer = self._new_optimizer()
        if self.path:
            self._load()

    @property
    def image(self):
        """The best image so far, in normalised units."""
        return self._to_image(self.best.point)[0]

    def within_bounds(self, image):
        """Return an image, in normalised units, as it would be begun with."""
        return self._to_image(self._to_point(image))[0]

    def begin_at(self, image, note=""):
        """Begin at an image, in normalised units, instead; before the first step."""
        self.point = self._to_point(image)
        self.optimizer, self.begun = self._new_optimizer(), note

    def _new_optimizer(self):
        rate = self.settings.learning_rate
        if self.settings.optimizer == "adam":
            return torch.optim.Adam([self.point], lr=(rate or 0.05) * 0.5**self.restarts)
        # One iteration a step, so that the state between steps is all there is. Nothing but this
        # class decides when to stop, so the tolerances are off.
        return torch.optim.LBFGS(
            [self.point],
            lr=rate or 1,
            max_iter=1,
            max_eval=26,
            history_size=self.settings.history,
            line_search_fn="strong_wolfe",
            tolerance_grad=0,
            tolerance_change=0,
        )

    def run(self, ask):
        """Optimise until the end; `ask` gives the losses and the gradient of (index, image, draw)."""
        self.ask, began = ask, time.monotonic() - self.seconds
        if not self.trace:
            self._begin(began)
        while not self.done and self.step < self.settings.iterations:
            self.step += 1
            note = self._advance()
            self.seconds = time.monotonic() - began
            self._record(note)
            if self.path and self.step % self.settings.checkpoint_every == 0:
                self._save()

    def _begin(self, began):
        try:
            self._closure()
        except NotFiniteError as error:
            raise InputError(
                "loss: not finite for the initial image; check the network's weights and precision"
            ) from error
        self.seconds = time.monotonic() - began
        self._record(self.begun)

    def _advance(self):
        """Take one step; return what is to be noted of it."""
        every, note = self.objective.loss.redraw_every, ""
        try:
            if every and self.step > 1 and self.step % every == 1 % every:
                self._redraw()
                note = "new random directions"
            before = self.best.loss
            self.optimizer.step(self._closure)
            self._closure()  # Adam moves last; the point of L-BFGS is known already
        except NotFiniteError:
            return self._restart("loss not finite")
        if self.best.loss == 0:
            self.done = True
            return "loss zero"
        if self.settings.optimizer == "lbfgs" and not self.best.loss < before:
            return self._restart("line search stalled")
        return note

    def _closure(self):
        """Return the scaled loss at the point, with its gradient in place; ask nothing twice."""
        for known in (self.last, self.best):
            if known is not None and torch.equal(known.point, self.point):
                break
        else:
            known = self._evaluate()
        self.last = known
        self.point.grad = known.gradient * self.scale
        return known.loss * self.scale

    def _evaluate(self):
        point = self.point.clone()
        image, slope = self._to_image(point)
        layers, gradient = self.ask(self.index, image, self.draw)
        self.evaluations += 1
        new = Evaluation(point, gradient if slope is None else gradient * slope, layers)
        if not math.isfinite(new.loss):
            raise NotFiniteError
        if self.scale is None:
            self.scale = START / new.loss if new.loss > 0 else 1.0
        if self.best is None or new.loss < self.best.loss:
            self.best = new
        return new

    def _redraw(self):
        """Go on with new random directions: nothing learned of the old function holds for the new one."""
        self.draw += 1
        self.last = self.best = None
        self.restarted_at = math.inf
        self.optimizer = self._new_optimizer()
        self._closure()

    def _restart(self, why):
        """Go back to the best image with an empty memory, unless that was tried already."""
        lbfgs = self.settings.optimizer == "lbfgs"
        self.point.copy_(self.best.point)
        self.last = self.best
        if self.restarts == self.settings.restarts or (lbfgs and self.best.loss == self.restarted_at):
            self.done = True
            return f"{why}; stopped after {self.restarts} restarts"
        self.restarts += 1
        self.restarted_at = self.best.loss
        self.optimizer = self._new_optimizer()
        return f"{why}; restarted from the best image"

    def _record(self, note):
        row = {"step": self.step, "evaluations": self.evaluations, "seconds": round(self.seconds, 3)}
        self.trace.append(row | self.objective.named(self.last.layers) | {"note": note})
        if note:
            log.info("image %d, step %d: %s", self.index, self.step, note)

    # Bounds: a pixel in [0, 1] is (1 + sin u)/2, which reaches both ends at a finite u.

    def _to_point(self, image):
        if not self.settings.bounds:
            return image.clone()
        # Not quite up to the ends, where the slope is zero.
        return torch.asin((2 * self.objective.display(image) - 1).clamp(-0.98, 0.98))

    def _to_image(self, point):
        """Return the image in normalised units, and its derivative by the point (None for 1)."""
        if not self.settings.bounds:
            return point, None
        mean, std = self.objective.mean_std()
        return ((1 + point.sin()) / 2 - mean) / std, point.cos() / (2 * std)

    def _belongs_to(self):
        """All that must agree for a checkpoint to be gone on with: not how long it is to run."""
        ours = asdict(self.settings)
        del ours["checkpoint_every"]
        if ours["start"] != "coarse":  # the coarse images have as many steps
            del ours["iterations"]
        return self.identity | {"settings": ours}

    def _save(self):
        state = {name: getattr(self, name) for name in self.STATE}
        state |= {"point": self.point, "optimizer": self.optimizer.state_dict()}
        state |= {"last": tuple(self.last), "best": tuple(self.best)}
        checkpoint.save(self.path, self._belongs_to(), state)

    def _load(self):
        state = checkpoint.load(self.path, self._belongs_to())
        if state is None:
            return
        for name in self.STATE:
            setattr(self, name, state[name])
        self.point.copy_(state["point"])
        for name in ("last", "best"):
            point, gradient, layers = state[name]
            known = Evaluation(point.to(self.point.device), gradient.to(self.point.device), layers)
            setattr(self, name, known)
        self.optimizer = self._new_optimizer()
        self.optimizer.load_state_dict(state["optimizer"])
        log.info("%s: going on after step %d", self.path, self.step)


def run_in_lockstep(descents, evaluate):
    """Run several descents; whenever all that still run wait for a loss, evaluate them in one batch."""
    if len(descents) == 1:  # also keeps the traceback short
        descents[0].run(lambda *request: evaluate([request])[0])
        return
    asked, unanswered = queue.SimpleQueue(), []

    def work(descent):
        def ask(*request):
            answer = Future()
            asked.put((request, answer))
            return answer.result()

        try:
            descent.run(ask)
            asked.put(None)
        except BaseException as error:
            asked.put(error)

    for descent in descents:
        threading.Thread(target=work, args=(descent,), daemon=True).start()
    running = len(descents)
    try:
        while running:
            heard = [asked.get() for _ in range(running)]
            unanswered = [item[1] for item in heard if isinstance(item, tuple)]
            for error in (item for item in heard if isinstance(item, BaseException)):
                raise error
            # In the order of the images, not of the threads.
            questions = sorted((item for item in heard if item), key=lambda item: item[0][0])
            running = len(questions)
            if questions:
                answers = evaluate([request for request, _ in questions])
                for (_, answer), result in zip(questions, answers, strict=True):
                    answer.set_result(result)
    finally:
        for answer in unanswered:
            answer.cancel()
