"""Is the sized body the true one? `python -m benchmarks.virtual_sizing [PEOPLE] [--misplaced MM …]`.

Virtual people, whose bodies are known, are sized from the static trial and two walks, from the walks alone and from the
static alone. Two Markdown tables: how far lengths, hip centres and angles are from the true ones, and how often the
true one lies within ± 1.645 of the estimate's own standard deviations: 90 % is right.

Populations: `laboratory` are the virtual laboratory's people, bones as the model's, their markers off their landmarks
by a normal deviation of MM along each axis. `prior` are drawn from what sizing holds for true: proportions, bones
shaped otherwise and markers misplaced as its priors say, hips off their regressions as published, spines palpated as
published. MM doesn't matter to them, and their coverage says whether the stated deviations follow from the priors.

In pieces: `--first N` begins with person N, `--keep FILE` adds the misses to a file, and the tables are of all in it.

Skin (`--skin`): `angles` moves markers with the angles of the joints nearby, as far as `landmarks.SOFT_TISSUE_M` says,
root mean square over the walk against standing (linear in joint angles: Bonci et al. 2014, J Biomech 47:2173; Camomilla
et al. 2017, J Biomech 62:39). `laboratory` is the virtual laboratory's own, periodic, with a mean of zero; `none`.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from benchmarks.tables import Cell, markdown, number
from pipeline.mechanics.arrays import MarkerPlaces
from pipeline.mechanics.bodies.poses import body_places
from pipeline.mechanics.markers.fit import CoordinateRoles, fit_poses, tracking_problem
from pipeline.osim.log import quiet
from pipeline.osim.models.default_model import default_model_file
from pipeline.osim.models.shared_model import SharedModel, read_shared_model
from pipeline.records import Markers
from pipeline.session.load_profile import load_profile
from pipeline.session.profile import Profile
from pipeline.session.recipe import PACKAGED_RECIPE, ScalingSettings, load_recipe
from pipeline.session.session import Subject
from pipeline.sizing.body_figures import EstimatedBody, sds_of_zeros_rad, spines_palpated_rad
from pipeline.sizing.certainty import (
    LENGTHS,
    hips_in_pelvis,
    hips_in_walking,
    segment_lengths,
)
from pipeline.sizing.evidence import gather_evidence, marker_priors, regressed_hips
from pipeline.sizing.posterior import likeliest
from pipeline.sizing.priors.landmarks import MarkerPrior, marker_prior
from pipeline.sizing.priors.places import palpation_rad, place_covariance, place_precision, spines_of
from pipeline.sizing.priors.proportions import proportion_prior
from pipeline.sizing.priors.ranges import widened
from pipeline.sizing.scaled_tree import scaled_tree
from pipeline.user_cache import cache_folder
from pipeline.virtual.dynamics.stand import stand
from pipeline.virtual.instruments.blemishes import DEFAULT, load_blemishes
from pipeline.virtual.instruments.marker_blemishes import draw_skin, noise_m, skin_displacement_m
from pipeline.virtual.person.anthropometry import draw_subject
from pipeline.virtual.person.body import make_body
from pipeline.virtual.records import MARKER_RATE_HZ, Condition, FootContact
from pipeline.virtual.walk import own_gait, walk

Population = Literal["laboratory", "prior"]
SkinKind = Literal["angles", "laboratory", "none"]
Way = Literal["static and walks", "walks", "static"]

PEOPLE, MISPLACED_MM = 24, (5.0, 10.0, 15.0)
PROFILE = "isb_full_body"
# People share a few gaits: sizing only sees poses, and making a gait takes seconds.
GAITS = 4
CONDITIONS: tuple[Condition, Condition] = ("med", "slow")
# Inverse kinematics of every so many frames.
EVERY = 10
# How far hips are from their regressions along an axis, both of a person alike (joint_centres.py), and each by itself.
REGRESSION_SD_M, OWN_REGRESSION_SD_M = 0.0043, 0.001
# Nine of ten normal deviates are within this.
NINETY = 1.645
ZEROS = (
    "pelvis_tilt", "hip_flexion_r", "hip_flexion_l", "hip_adduction_r", "hip_adduction_l", "hip_rotation_r",
    "hip_rotation_l", "knee_angle_r", "knee_angle_l", "ankle_angle_r", "ankle_angle_l", "lumbar_extension",
)  # fmt: skip
# The angles whose change moves the skin over a body; {0} is its side.
DRIVERS = {
    "pelvis": ("hip_flexion_r", "hip_flexion_l"),
    "femur": ("hip_flexion_{0}", "hip_rotation_{0}", "knee_angle_{0}"),
    "tibia": ("knee_angle_{0}", "ankle_angle_{0}"),
    "calcn": ("ankle_angle_{0}", "knee_angle_{0}"),
    "toes": ("ankle_angle_{0}", "knee_angle_{0}"),
    "torso": ("arm_flex_r", "arm_flex_l", "lumbar_rotation"),
}
ARM_DRIVERS = ("arm_flex_{0}", "elbow_flex_{0}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gait:
    """Poses of one virtual person: standing (Q,), and two walks (T, Q) with their footfalls, by name."""

    standing: np.ndarray
    walks: Mapping[str, np.ndarray]
    contacts: Mapping[str, Sequence[FootContact]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueBody:
    """The truth of one person: their bodies' factors (B, 3), and their markers' places (M, 3) on them."""

    subject: Subject
    factors: np.ndarray
    places_m: np.ndarray
    gait: Gait


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """How far one figure of an estimate is from the truth, and the standard deviation that the estimate gives it.

    kind: what it is tabled as. In mm or degrees; relative: over the true value, 1 for none.
    """

    kind: str
    error: float
    sd: float
    relative: float = 1.0


class Laboratory:
    """The unscaled model, its profile and settings, all read once."""

    def __init__(self) -> None:
        self.shared: SharedModel = read_shared_model(default_model_file(cache_folder()))
        self.profile: Profile = load_profile(PROFILE)
        self.settings: ScalingSettings = load_recipe(PACKAGED_RECIPE).scaling
        self.labels = tuple(self.profile.markers)
        bodies = self.shared.skeleton.bodies
        self.body = np.array([bodies.index(marker.body) for marker in self.profile.markers.values()], dtype=np.int64)
        self.priors = [marker_prior(marker) for marker in self.profile.markers.values()]

    @cache  # noqa: B019 — one laboratory lives as long as the program
    def gait(self, which: int) -> Gait:
        """The gait of the virtual laboratory's healthy subject of this number, from 1."""
        rng = np.random.default_rng([14, which])
        body = make_body(draw_subject("healthy", which, rng), self.profile, 0.0, rng)
        style = own_gait(body, rng)
        walked = {condition: walk(body, style, condition, rng) for condition in CONDITIONS}
        columns = [body.mechanics.names.index(name) for name in self.shared.names]
        return Gait(
            standing=stand(body).coordinates.values[0, columns],
            walks={name: one.coordinates.values[:, columns] for name, one in walked.items()},
            contacts={name: one.contacts for name, one in walked.items()},
        )

    def markers_m(self, person: TrueBody, poses: np.ndarray, skin_m: np.ndarray | float = 0.0) -> np.ndarray:
        """Where the markers of a person in these poses (T, Q) are, skin moved by (T, M, 3) in the bodies' frames."""
        rotation, origin_m = body_places(scaled_tree(self.shared.skeleton.tree, person.factors), poses)
        places_m = np.broadcast_to(person.places_m + skin_m, (len(poses), len(self.labels), 3))
        return np.einsum("tmij,tmj->tmi", rotation[:, self.body], places_m) + origin_m[:, self.body]


def main() -> None:
    arguments = _arguments()
    quiet()
    laboratory = Laboratory()
    people = range(arguments.first, arguments.first + arguments.people)
    found = {
        (misplaced_mm, way): misses
        for misplaced_mm in arguments.misplaced
        for way, misses in size_virtual_people(
            laboratory, people, arguments.population, misplaced_mm, arguments.skin, arguments.way
        ).items()
    }
    if arguments.keep:
        found = with_kept(arguments.keep, found)
    n_people = len(next(iter(found.values())))
    print(f"{n_people} people, population {arguments.population}, skin {arguments.skin}\n")
    print(error_table(found), end="\n\n")
    print(coverage_table(found))


def size_virtual_people(
    laboratory: Laboratory,
    people: Sequence[int],
    population: Population,
    misplaced_mm: float,
    skin: SkinKind,
    ways: Sequence[Way] = get_args(Way),
) -> dict[Way, list[list[Miss]]]:
    """Each way's misses, person by person."""
    found: dict[Way, list[list[Miss]]] = {way: [] for way in ways}
    for which in people:
        rng = np.random.default_rng([15, which])
        person = draw_person(laboratory, population, which, misplaced_mm, rng)
        standing, walks = recorded(laboratory, person, skin, rng)
        for way in ways:
            seen = {} if way == "static" else walks
            body = sized(laboratory, person.subject, None if way == "walks" else standing, seen)
            found[way].append([*misses_of(laboratory, person, body), *angles_missed(laboratory, person, body, walks)])
    return found


def draw_person(
    laboratory: Laboratory, population: Population, which: int, misplaced_mm: float, rng: np.random.Generator
) -> TrueBody:
    """A person of the population, in everything but the misplacement the same whatever that is."""
    drawn = draw_subject("healthy", which, rng)
    subject = Subject(
        id=drawn.subject_id, mass_kg=drawn.mass_kg, height_m=drawn.height_m, sex=drawn.sex, age_y=drawn.age_y
    )
    priors = laboratory.priors
    bone_m, over_m = (np.array([getattr(prior, name) for prior in priors]) for name in ("bone_m", "over_m"))
    if population == "prior":
        return _of_the_prior(laboratory, subject, laboratory.gait(1 + (which - 1) % GAITS), rng)
    bodies = laboratory.shared.skeleton.bodies
    factors = np.array([drawn.segment_factors.get(body, (1.0, 1.0, 1.0)) for body in bodies])
    off_m = misplaced_mm * 1e-3 * rng.standard_normal(bone_m.shape)
    return TrueBody(
        subject=subject,
        factors=factors,
        places_m=bone_m * factors[laboratory.body] + over_m + off_m,
        gait=laboratory.gait(1 + (which - 1) % GAITS),
    )


def _of_the_prior(laboratory: Laboratory, subject: Subject, gait: Gait, rng: np.random.Generator) -> TrueBody:
    """A person drawn from priors and regressions together, then palpated.

    A draw from the priors and one of the regressions' errors are brought together by least squares, which samples what
    both say as far as it is linear (Bardsley et al. 2014, SIAM J Sci Comput 36:A1895).
    """
    skeleton, labels, profile = laboratory.shared.skeleton, laboratory.labels, laboratory.profile
    prior = proportion_prior(skeleton, subject, laboratory.settings)
    priors = marker_priors(profile, labels, skeleton, prior)
    places = np.linalg.inv(
        place_precision(profile, labels, priors, place_covariance(skeleton, profile, labels, priors))
    )
    n_proportions = len(prior.mean)
    covariance = np.zeros((n_proportions + len(places),) * 2)
    covariance[:n_proportions, :n_proportions], covariance[n_proportions:, n_proportions:] = prior.covariance, places
    mean = np.concatenate([prior.mean, np.zeros(len(places))])
    bone_m, over_m = (np.array([getattr(priors[label], name) for label in labels]) for name in ("bone_m", "over_m"))

    def of(shape: np.ndarray) -> TrueBody:
        factors = np.exp(np.tensordot(shape[:n_proportions], prior.growth, 1))
        places_m = bone_m * factors[laboratory.body] + over_m + shape[n_proportions:].reshape(-1, 3)
        return TrueBody(subject=subject, factors=factors, places_m=places_m, gait=gait)

    def off_m(shape: np.ndarray) -> np.ndarray:
        return _hips_off_regression_m(laboratory, of(shape), priors)

    mirrored = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, -1.0]])
    both = np.concatenate([np.diag(each) for each in mirrored]) * REGRESSION_SD_M
    spread = both @ both.T + OWN_REGRESSION_SD_M**2 * np.eye(6)
    drawn, error_m = rng.multivariate_normal(mean, covariance), rng.multivariate_normal(np.zeros(6), spread)
    shape = drawn
    for _ in range(4):
        here_m = off_m(shape)
        slopes = np.array([(off_m(shape + step) - here_m) / 1e-4 for step in 1e-4 * np.eye(len(shape))]).T
        gain = covariance @ slopes.T @ np.linalg.inv(slopes @ covariance @ slopes.T + spread)
        shape = drawn + gain @ (error_m - here_m + slopes @ (shape - drawn))
    person = of(shape)
    turned_rad = palpation_rad(profile, labels, person.places_m) * rng.standard_normal()
    spines = [labels.index(label) for end in spines_of(profile, labels) for label in end]
    ahead_m = person.places_m[spines, 0] - person.places_m[spines, 0].mean()
    person.places_m[spines, 1] += np.tan(turned_rad) * ahead_m
    return person


def _hips_off_regression_m(laboratory: Laboratory, person: TrueBody, priors: Mapping[str, MarkerPrior]) -> np.ndarray:
    """How far both hips (6,) are from where the person's markers say by regression, along the pelvis's axes."""
    standing = person.gait.standing[None]
    found = regressed_hips(
        laboratory.profile,
        laboratory.shared.skeleton.bodies,
        laboratory.labels,
        priors,
        laboratory.markers_m(person, standing),
        np.array([True]),
    )
    rotation, origin_m, _, _ = _posed(laboratory, person.factors, standing)
    apart_m = np.array([found["hip_r"][0], found["hip_l"][0]]) - origin_m[0]
    off_m: np.ndarray = np.einsum("hji,hj->hi", rotation[0], apart_m).ravel()
    return off_m


def with_kept(
    file: Path, found: Mapping[tuple[float, Way], list[list[Miss]]]
) -> dict[tuple[float, Way], list[list[Miss]]]:
    """The misses with those that are in the file before them, which then has all."""
    rows = [
        {"misplaced_mm": misplaced_mm, "way": way, "misses": [asdict(miss) for miss in one]}
        for (misplaced_mm, way), people in found.items()
        for one in people
    ]
    with file.open("a") as kept:
        kept.writelines(json.dumps(row) + "\n" for row in rows)
    every: dict[tuple[float, Way], list[list[Miss]]] = {}
    for line in file.read_text().splitlines():
        row = json.loads(line)
        every.setdefault((row["misplaced_mm"], row["way"]), []).append([Miss(**miss) for miss in row["misses"]])
    return dict(sorted(every.items()))


def recorded(
    laboratory: Laboratory, person: TrueBody, skin: SkinKind, rng: np.random.Generator
) -> tuple[Markers, dict[str, Markers]]:
    """What cameras see of the person standing (one frame) and walking."""
    blemishes, gait = load_blemishes(DEFAULT), person.gait
    still = laboratory.markers_m(person, gait.standing[None])
    own = draw_skin(laboratory.labels, laboratory.profile, blemishes, rng)
    slopes_m = skin_slopes_m(laboratory, gait, rng)
    walks = {}
    for name, poses in gait.walks.items():
        time_s = np.arange(len(poses)) / MARKER_RATE_HZ
        by_angles = np.einsum("tq,qmx->tmx", poses - gait.standing, slopes_m) if skin == "angles" else 0.0
        places_m = laboratory.markers_m(person, poses, by_angles)
        if skin == "laboratory":
            places_m = places_m + skin_displacement_m(own, gait.contacts[name], time_s)
        places_m = places_m + noise_m(places_m.shape, MARKER_RATE_HZ, blemishes, rng)
        walks[name] = Markers(time_s=time_s, rate_hz=MARKER_RATE_HZ, labels=laboratory.labels, positions_m=places_m)
    standing = Markers(time_s=np.zeros(1), rate_hz=MARKER_RATE_HZ, labels=laboratory.labels, positions_m=still)
    return standing, walks


def skin_slopes_m(laboratory: Laboratory, gait: Gait, rng: np.random.Generator) -> np.ndarray:
    """How markers move with joint angles, along their bodies' axes, metres a radian: (Q, M, 3).

    In random directions; half of the variance is a segment's, half a marker's own. Each is scaled to its root mean
    square displacement over the first walk.
    """
    names = laboratory.shared.names
    turned = gait.walks[CONDITIONS[0]] - gait.standing
    usual = np.sqrt(np.mean(turned**2, axis=0))
    together: dict[str, np.ndarray] = {}
    slopes_m = np.zeros((len(names), len(laboratory.labels), 3))
    for column, (marker, prior) in enumerate(zip(laboratory.profile.markers.values(), laboratory.priors, strict=True)):
        segment, side = marker.body.removesuffix("_r").removesuffix("_l"), marker.body[-1]
        drivers = [names.index(name.format(side)) for name in DRIVERS.get(segment, ARM_DRIVERS)]
        if marker.body not in together:
            together[marker.body] = rng.standard_normal((len(drivers), 3))
        both = together[marker.body] + rng.standard_normal((len(drivers), 3))
        slopes_m[drivers, column] = both / usual[drivers, None]
        moved = turned @ slopes_m[:, column]
        slopes_m[:, column] *= prior.soft_tissue_m / np.sqrt(np.mean((moved**2).sum(axis=1)))
    return slopes_m


def sized(
    laboratory: Laboratory, subject: Subject, standing: Markers | None, walks: Mapping[str, Markers]
) -> EstimatedBody:
    """`estimate_body`, of a model that is read once for all people."""
    prior = proportion_prior(laboratory.shared.skeleton, subject, laboratory.settings)
    markers, settings = list(walks.values()), laboratory.settings
    gathered = gather_evidence(laboratory.shared, laboratory.profile, prior, standing, markers, settings)
    posterior = likeliest(gathered.evidence)
    if not posterior.converged:
        raise ValueError(f"the estimate of {subject.id}'s body did not settle.")
    return EstimatedBody(
        shared=laboratory.shared, profile=laboratory.profile, prior=prior, gathered=gathered, posterior=posterior
    )


def misses_of(laboratory: Laboratory, person: TrueBody, body: EstimatedBody) -> Iterator[Miss]:
    """Lengths, hip centres and zeros of angles in the frames that sized the body, with what it says of them."""
    known = body.shared, body.gathered, body.posterior
    true = _true_lengths_m(laboratory, person)
    lengths = segment_lengths(*known)
    for name, value, sd in zip(lengths.names, lengths.value, lengths.sd, strict=True):
        kind = f"{_unsided(name).replace('_', ' ')}, %"
        yield Miss(kind=kind, error=1e3 * (value - true[name]), sd=1e3 * sd, relative=10 * true[name])
    hips, walking = hips_in_pelvis(*known), hips_in_walking(*known, spines_palpated_rad(body))
    poses = _true_poses(body, person)
    rotation, origin_m, pelvis_m, numbers = _posed(laboratory, person.factors, poses)
    _, found_m, found_pelvis_m, _ = _posed(
        laboratory, body.gathered.evidence.factors(body.posterior.shape), body.posterior.poses
    )
    moving = ~body.gathered.standing if (~body.gathered.standing).any() else body.gathered.standing
    for h in range(len(numbers)):
        off_m = (found_pelvis_m - pelvis_m)[0, h]
        yield from _three("hip centre in the pelvis's frame", off_m, hips.sd[h])
        off_m = np.einsum("nji,nj->ni", rotation[:, h], (found_m - origin_m)[:, h])[moving].mean(axis=0)
        yield from _three("hip centre under the markers", off_m, walking.sd[h])
    sds_rad = sds_of_zeros_rad(body)
    off_deg = np.degrees((body.posterior.poses - poses)[moving].mean(axis=0))
    for name in ZEROS:
        sd_deg = float(np.degrees(sds_rad[name]))
        kind = f"{_unsided(name).replace('_', ' ')}, °"
        yield Miss(kind=kind, error=float(off_deg[body.shared.names.index(name)]), sd=sd_deg)


def angles_missed(
    laboratory: Laboratory, person: TrueBody, body: EstimatedBody, walks: Mapping[str, Markers]
) -> Iterator[Miss]:
    """Means of angles over the walks by inverse kinematics with the sized model, against the true ones."""
    shared, profile, evidence = laboratory.shared, laboratory.profile, body.gathered.evidence
    names, coordinates = shared.names, shared.summary.coordinates
    low, high = widened(shared.skeleton.low, shared.skeleton.high, names, laboratory.settings)
    problem = tracking_problem(
        scaled_tree(evidence.tree, evidence.factors(body.posterior.shape)),
        MarkerPlaces(
            body=laboratory.body, place_m=evidence.places_m(body.posterior.shape)[: len(laboratory.labels)].copy()
        ),
        np.array([marker.ik_weight for marker in profile.markers.values()], dtype=float),
        CoordinateRoles(
            locked=np.array([coordinate.locked for coordinate in coordinates]),
            low=low,
            high=high,
            residual=np.array([coordinate.residual for coordinate in coordinates]),
            rotational=np.array([coordinate.rotational for coordinate in coordinates]),
        ),
        [(names.index(name), weight, float(shared.skeleton.default[names.index(name)]))
         for name, weight in profile.held.items()],
    )  # fmt: skip
    off = []
    for name, walked in walks.items():
        measured_m, time_s = walked.positions_m[::EVERY], walked.time_s[::EVERY]
        held = np.tile(shared.skeleton.default, (len(time_s), 1))
        off.append(fit_poses(problem, time_s, measured_m, held).values - person.gait.walks[name][::EVERY])
    off_deg = np.degrees(np.concatenate(off).mean(axis=0))
    for name in ZEROS:
        kind = f"{_unsided(name).replace('_', ' ')} by inverse kinematics, °"
        yield Miss(kind=kind, error=float(off_deg[names.index(name)]), sd=float("nan"))


def _true_lengths_m(laboratory: Laboratory, person: TrueBody) -> dict[str, float]:
    skeleton = laboratory.shared.skeleton
    _, origin_m = body_places(scaled_tree(skeleton.tree, person.factors), skeleton.default[None])
    return {
        name: float(np.linalg.norm(origin_m[0, skeleton.bodies.index(one)] - origin_m[0, skeleton.bodies.index(other)]))
        for name, (one, other) in LENGTHS.items()
    }


def _true_poses(body: EstimatedBody, person: TrueBody) -> np.ndarray:
    """The true poses (N, Q) of the frames that sized the body."""
    parts = [person.gait.standing[None]] if body.gathered.standing.any() else []
    n_walking = int((~body.gathered.standing).sum())
    if n_walking:
        each = n_walking // len(person.gait.walks)
        # As evidence.py spreads them.
        parts += [
            poses[np.linspace(0, len(poses) - 1, each).round().astype(int)] for poses in person.gait.walks.values()
        ]
    return np.concatenate(parts)


def _posed(
    laboratory: Laboratory, factors: np.ndarray, poses: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int]]:
    """For both hips: the pelvis's rotations (N, 2, 3, 3), the centres on the ground and in the pelvis (N, 2, 3)."""
    skeleton = laboratory.shared.skeleton
    hips = [skeleton.bodies.index(name) for name in ("femur_r", "femur_l")]
    rotation, origin_m = body_places(scaled_tree(skeleton.tree, factors), poses)
    pelvis = skeleton.tree.parent[hips]
    in_pelvis = np.einsum("nhji,nhj->nhi", rotation[:, pelvis], origin_m[:, hips] - origin_m[:, pelvis])
    return rotation[:, pelvis], origin_m[:, hips], in_pelvis, hips


def _three(kind: str, off_m: np.ndarray, sd_m: np.ndarray) -> Iterator[Miss]:
    """A misplaced point: its distance in all, which has no deviation, and along each axis."""
    yield Miss(kind=f"{kind}, mm", error=float(np.linalg.norm(off_m)) * 1e3, sd=float("nan"))
    for axis, error, sd in zip(("forward", "up", "right"), off_m, sd_m, strict=True):
        yield Miss(kind=f"{kind}, {axis}, mm", error=float(error) * 1e3, sd=float(sd) * 1e3)


def error_table(found: Mapping[tuple[float, Way], list[list[Miss]]]) -> str:
    """Root mean square, mean and largest miss over people, a row a figure."""
    head = ("RMS (mean; largest)", *(f"{misplaced_mm:g} mm, {way}" for misplaced_mm, way in found))
    rows: list[list[Cell]] = []
    for kind in _kinds(found):
        cells: list[Cell] = [kind]
        for people in found.values():
            off = np.array([miss.error / miss.relative for one in people for miss in one if miss.kind == kind])
            cells.append(
                f"{number(np.sqrt(np.mean(off**2)), 1)} ({number(np.mean(off), 1)}; {number(np.abs(off).max(), 1)})"
            )
        rows.append(cells)
    return markdown(head, rows, [0] * len(head))


def coverage_table(found: Mapping[tuple[float, Way], list[list[Miss]]]) -> str:
    """How many true figures lie within ± 1.645 standard deviations, %, and that deviation; the last row is all."""
    head = ("within, % (SD)", *(f"{misplaced_mm:g} mm, {way}" for misplaced_mm, way in found))
    rows: list[list[Cell]] = []
    kinds = [
        kind
        for kind in _kinds(found)
        if any(miss.kind == kind and np.isfinite(miss.sd) for miss in next(iter(found.values()))[0])
    ]
    for kind in kinds:
        cells: list[Cell] = [kind]
        for people in found.values():
            own = [miss for one in people for miss in one if miss.kind == kind]
            sd = float(np.sqrt(np.mean([(miss.sd / miss.relative) ** 2 for miss in own])))
            cells.append(f"{number(100 * covered(own), 0)} ({number(sd, 1)})")
        rows.append(cells)
    every: list[Cell] = ["all"]
    every += [
        number(100 * covered([miss for one in people for miss in one if np.isfinite(miss.sd)]), 0)
        for people in found.values()
    ]
    return markdown(head, [*rows, every], [0] * len(head))


def covered(misses: Sequence[Miss]) -> float:
    """The share of misses that are within ± 1.645 of their standard deviations."""
    return float(np.mean([abs(miss.error) <= NINETY * miss.sd for miss in misses]))


def _kinds(found: Mapping[tuple[float, Way], list[list[Miss]]]) -> list[str]:
    return list(dict.fromkeys(miss.kind for people in found.values() for one in people for miss in one))


def _unsided(name: str) -> str:
    return name.removesuffix("_r").removesuffix("_l")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", nargs="?", type=int, default=PEOPLE, help="how many people")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="the first of them")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add misses to this file; tables are of all in it")
    parser.add_argument("--population", choices=get_args(Population), default="laboratory")
    parser.add_argument("--misplaced", nargs="+", type=float, default=MISPLACED_MM, metavar="MM")
    parser.add_argument("--skin", choices=get_args(SkinKind), default="angles")
    parser.add_argument("--way", nargs="+", choices=get_args(Way), default=get_args(Way))
    return parser.parse_args()


if __name__ == "__main__":
    main()
