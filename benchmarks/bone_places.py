"""Bony places of the model of Rajagopal et al. (2016): `python -m benchmarks.bone_places GEOMETRY_FOLDER MODEL.osim`.

Reads landmarks off the model's own bone surfaces and prints them in the frames of its bodies: the figures in
`pipeline/landmarks/bony_places.toml`. With `--pictures FOLDER` each bone is drawn with its places in three views.

The folder holds the surfaces as PLY files, named as the model names them plus `.ply`: `models/rajagopal_data/Geometry`
inside the wheel of `nimblephysics` (0.10.52.1) on the Python registry. The surfaces are not part of this project.
`plyfile` (1.1.5) reads them and `matplotlib` draws: neither is a dependency of the product.

A place is an extreme: the surface's farthest point in a stated direction within a stated region, taken as the middle
of the surface within 2 mm of the farthest vertex and moved out to that vertex's level. The middle of such a cap is
where a fingertip rests, and does not jump from vertex to vertex where a coarse surface is flat. Everything is in
metres and on the right: x forward, y up, z to the right, the body standing with all coordinates at zero.
"""

import argparse
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BONY_PLACES = Path(__file__).parents[1] / "pipeline" / "landmarks" / "bony_places.toml"
# The table is written to a tenth of a millimetre.
ROUNDING_M = 0.0001
CAP_DEPTH_M = 0.002
# Triangles are cut into this many parts along each edge, so that a cap's middle is by area and not by vertices.
EDGE_PARTS = 12
# Vertebrae's surfaces have 142 vertices or more; discs and fragments have 52 or fewer.
VERTEBRA_VERTICES = 100
VERTEBRAE = 24

RIGHT = (0.0, 0.0, 1.0)
LEFT = (0.0, 0.0, -1.0)
FRONT = (1.0, 0.0, 0.0)
BACK = (-1.0, 0.0, 0.0)
UP = (0.0, 1.0, 0.0)
DOWN = (0.0, -1.0, 0.0)


@dataclass(frozen=True)
class Surface:
    """A triangulated bone in its body's frame: vertices (V, 3) in metres, triangles (F, 3) as vertex numbers."""

    vertices: np.ndarray
    triangles: np.ndarray


@dataclass(frozen=True)
class Region:
    """The part of a body's frame in which an extreme is looked for, in metres."""

    x: tuple[float, float] = (-np.inf, np.inf)
    y: tuple[float, float] = (-np.inf, np.inf)
    z: tuple[float, float] = (-np.inf, np.inf)

    def holds(self, points: np.ndarray) -> np.ndarray:
        """Which of these points (N, 3) lie in it, (N,)."""
        limits = np.array([self.x, self.y, self.z])
        return np.asarray(((points >= limits[:, 0]) & (points <= limits[:, 1])).all(axis=1))


@dataclass(frozen=True)
class Extreme:
    """A landmark by geometry: the farthest place of these meshes in this direction within this region."""

    body: str
    meshes: tuple[str, ...]
    direction: tuple[float, float, float]
    region: Region = Region()


EXTREMES = {
    "iliac_crest": Extreme("pelvis", ("r_pelvis",), (0.0, 1.0, 1.0)),
    "pubic_tubercle": Extreme("pelvis", ("r_pelvis",), FRONT, Region(y=(-np.inf, -0.05))),
    "greater_trochanter": Extreme("femur_r", ("r_femur",), RIGHT, Region(y=(-0.1, np.inf))),
    "lateral_femoral_epicondyle": Extreme("femur_r", ("r_femur",), RIGHT, Region(y=(-np.inf, -0.37))),
    "medial_femoral_epicondyle": Extreme("femur_r", ("r_femur",), LEFT, Region(y=(-np.inf, -0.37))),
    "tibial_tuberosity": Extreme("tibia_r", ("r_tibia",), FRONT, Region(y=(-0.1, np.inf))),
    "fibular_head": Extreme("tibia_r", ("r_fibula",), (0.0, 0.5, 0.866), Region(y=(-0.1, np.inf))),
    "lateral_malleolus": Extreme("tibia_r", ("r_fibula",), RIGHT, Region(y=(-np.inf, -0.35))),
    "lateral_malleolus_tip": Extreme("tibia_r", ("r_fibula",), DOWN),
    "medial_malleolus": Extreme("tibia_r", ("r_tibia",), LEFT, Region(y=(-np.inf, -0.35))),
    "medial_malleolus_tip": Extreme("tibia_r", ("r_tibia",), DOWN, Region(z=(-np.inf, -0.01))),
    "heel": Extreme("calcn_r", ("r_foot",), BACK),
    "heel_sole": Extreme("calcn_r", ("r_foot",), DOWN, Region(x=(-np.inf, 0.05))),
    "first_metatarsal_head": Extreme("calcn_r", ("r_foot",), UP, Region(x=(0.168, np.inf), z=(-np.inf, -0.012))),
    "first_metatarsal_head_medial": Extreme("calcn_r", ("r_foot",), LEFT, Region(x=(0.16, np.inf))),
    "second_metatarsal_head": Extreme("calcn_r", ("r_foot",), UP, Region(x=(0.168, np.inf), z=(-0.006, 0.008))),
    "fifth_metatarsal_head": Extreme("calcn_r", ("r_foot",), UP, Region(x=(0.132, np.inf), z=(0.034, np.inf))),
    "fifth_metatarsal_head_lateral": Extreme("calcn_r", ("r_foot",), RIGHT, Region(x=(0.125, np.inf))),
    "fifth_metatarsal_base": Extreme(
        "calcn_r", ("r_foot",), (-0.5, 0.0, 0.866), Region(x=(0.06, 0.11), z=(0.025, np.inf))
    ),
    "second_toe": Extreme("toes_r", ("r_bofoot",), UP, Region(x=(0.0635, np.inf), z=(0.004, 0.02))),
    "great_toe_tip": Extreme("toes_r", ("r_bofoot",), FRONT),
    "acromion": Extreme("torso", ("hat_ribs_scap",), RIGHT, Region(y=(0.36, np.inf))),
    "acromioclavicular_joint": Extreme("torso", ("hat_ribs_scap",), UP, Region(y=(0.36, np.inf), z=(0.12, np.inf))),
    "jugular_notch": Extreme("torso", ("hat_ribs_scap",), UP, Region(x=(0.01, np.inf), z=(-0.002, 0.002))),
    "xiphoid_process": Extreme(
        "torso", ("hat_ribs_scap",), DOWN, Region(x=(0.05, np.inf), y=(0.19, np.inf), z=(-0.005, 0.005))
    ),
    "lateral_humeral_epicondyle": Extreme("humerus_r", ("humerus_rv",), RIGHT, Region(y=(-np.inf, -0.22))),
    "medial_humeral_epicondyle": Extreme("humerus_r", ("humerus_rv",), LEFT, Region(y=(-np.inf, -0.22))),
    "olecranon": Extreme("ulna_r", ("ulna_rv",), BACK, Region(y=(-0.02, np.inf))),
    "radial_styloid": Extreme("radius_r", ("radius_rv",), (0.0, -1.0, 1.0)),
    "ulnar_styloid": Extreme("ulna_r", ("ulna_rv",), DOWN),
    "second_metacarpal_head": Extreme("hand_r", ("metacarpal2_rvs",), BACK, Region(y=(-np.inf, -0.077))),
    "fifth_metacarpal_head": Extreme("hand_r", ("metacarpal5_rvs",), BACK, Region(y=(-np.inf, -0.066))),
}
# These are put on the midline, from which the surface's middle is a tenth of a millimetre off.
MIDLINE = {"jugular_notch", "xiphoid_process"}
SPINOUS_PROCESSES = {"c7": 7, "t2": 9, "t8": 15, "t10": 17, "t12": 19}


def read_meshes(model_file: Path) -> dict[str, tuple[str, np.ndarray]]:
    """Which body each mesh of a model belongs to, and its scale factors (3,), by mesh without its suffix."""
    meshes = {}
    for body in ElementTree.parse(model_file).getroot().iter("Body"):
        for mesh in body.iterfind("attached_geometry/Mesh"):
            if mesh.findtext("socket_frame") != "..":
                raise ValueError(f"{model_file}: a mesh of {body.get('name')} hangs on a frame other than the body's.")
            name = Path(mesh.findtext("mesh_file", "")).stem
            meshes[name] = (body.get("name", ""), np.array(mesh.findtext("scale_factors", "").split(), float))
    return meshes


def read_joint_frames(model_file: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Where each joint sits on its parent: translation (3,) in metres and its axes as columns (3, 3), by joint."""
    frames = {}
    for joint in ElementTree.parse(model_file).getroot().iterfind("*/JointSet/objects/*"):
        parent = joint.find("frames/PhysicalOffsetFrame")
        if parent is not None:
            turned = _axes(np.array(parent.findtext("orientation", "").split(), float))
            frames[joint.get("name", "")] = (np.array(parent.findtext("translation", "").split(), float), turned)
    return frames


def _axes(angles_rad: np.ndarray) -> np.ndarray:
    """Body-fixed rotations about x, y and z in turn, as OpenSim orients a frame; the axes are the columns."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles_rad), np.cos(angles_rad)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_x @ about_y @ about_z)


def read_surface(path: Path, scale: np.ndarray) -> Surface:
    """A bone from its PLY file, scaled as the model scales it. Polygons are cut into triangles."""
    from plyfile import PlyData

    data = PlyData.read(str(path))
    vertices = np.column_stack([data["vertex"][axis] for axis in "xyz"]).astype(float) * scale
    polygons = data["face"]["vertex_indices"]
    fans = [(face[0], face[i], face[i + 1]) for face in polygons for i in range(1, len(face) - 1)]
    return Surface(vertices=vertices, triangles=np.array(fans))


def extreme_place(surfaces: Iterable[Surface], direction: Iterable[float], region: Region) -> np.ndarray:
    """The farthest place in this direction within this region, (3,): see the module. ValueError if none is in it."""
    toward = np.array([*direction])
    toward = toward / np.linalg.norm(toward)
    surfaces = list(surfaces)
    vertices = np.concatenate([surface.vertices for surface in surfaces])
    points, areas = (np.concatenate(parts) for parts in zip(*map(_area_points, surfaces), strict=True))
    inside = region.holds(points)
    candidates = np.concatenate([vertices[region.holds(vertices)], points[inside]])
    if not len(candidates):
        raise ValueError(
            f"no part of the bone lies in {region}. Is the model unscaled, and are its meshes the model's?"
        )
    level = (candidates @ toward).max()
    cap = inside & (points @ toward > level - CAP_DEPTH_M)
    if not cap.any():
        return np.asarray(candidates[(candidates @ toward).argmax()])
    middle = np.average(points[cap], axis=0, weights=areas[cap])
    return np.asarray(middle + toward * (level - middle @ toward))


def _area_points(surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """The middles of the equal parts of each triangle, (N, 3), and the area that each stands for, (N,)."""
    first, second, third = (surface.vertices[surface.triangles[:, corner]] for corner in range(3))
    along, across = second - first, third - first
    area = np.linalg.norm(np.cross(along, across), axis=1) / 2
    upright = [(i + 1 / 3, j + 1 / 3) for i in range(EDGE_PARTS) for j in range(EDGE_PARTS - i)]
    inverted = [(i + 2 / 3, j + 2 / 3) for i in range(EDGE_PARTS) for j in range(EDGE_PARTS - 1 - i)]
    u, v = np.array(upright + inverted).T[:, :, None, None] / EDGE_PARTS
    spread = first + u * along + v * across
    return spread.reshape(-1, 3), np.tile(area / len(u), len(u))


def spines(ilium: Surface) -> tuple[np.ndarray, np.ndarray]:
    """Anterior and posterior superior iliac spine: the farthest places forward and back along their own line.

    "Farthest forward" alone depends on how the pelvis is held: straight back, the farthest point of this ilium lies
    10 mm lower on a ridge than the corner at which its crest ends. Their own line is the same however it is held.
    """
    line = np.array(FRONT)
    for _ in range(20):
        anterior = extreme_place([ilium], line, Region(y=(-0.03, np.inf)))
        posterior = extreme_place([ilium], -line, Region(y=(-0.03, np.inf)))
        before, line = line, (anterior - posterior) * [1, 1, 0]
        line = line / np.linalg.norm(line)
        if np.allclose(line, before, atol=1e-9):
            return anterior, posterior
    raise ValueError("the line between the iliac spines does not settle.")


def spinous_process(spine: Surface, vertebra: int) -> np.ndarray:
    """The hindmost place of this vertebra, counted from the atlas as 1, on the midline, (3,)."""
    parts = [part for part in separate(spine) if len(part.vertices) > VERTEBRA_VERTICES]
    parts.sort(key=lambda part: -part.vertices[:, 1].mean())
    if len(parts) != VERTEBRAE:
        raise ValueError(f"the spine has {len(parts)} vertebrae; {VERTEBRAE} were expected.")
    return extreme_place([parts[vertebra - 1]], BACK, Region()) * [1, 1, 0]


def separate(surface: Surface) -> list[Surface]:
    """The connected parts of a surface; vertices at the same place count as one."""
    _, place = np.unique(surface.vertices.round(5), axis=0, return_inverse=True)
    corners = place.ravel()[surface.triangles]
    label = np.arange(corners.max() + 1)
    while True:
        lowest = label[corners].min(axis=1)
        joined = label.copy()
        np.minimum.at(joined, corners.ravel(), np.repeat(lowest, 3))
        if (joined == label).all():
            break
        label = joined
    of_triangle = label[corners[:, 0]]
    return [_part(surface, of_triangle == name) for name in np.unique(of_triangle)]


def _part(surface: Surface, triangles: np.ndarray) -> Surface:
    used, numbers = np.unique(surface.triangles[triangles], return_inverse=True)
    return Surface(vertices=surface.vertices[used], triangles=numbers.reshape(-1, 3))


def sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) and radius of the sphere that fits these points (N, 3) best, by linear least squares."""
    system = np.column_stack([2 * points, np.ones(len(points))])
    *centre, rest = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    return np.array(centre), float(np.sqrt(rest + np.dot(centre, centre)))


def femoral_head(femur: Surface) -> tuple[np.ndarray, float]:
    """Centre and radius of the head: vertices within 2 mm of the sphere that they fit."""
    chosen = femur.vertices[(femur.vertices[:, 1] > -0.02) & (femur.vertices[:, 2] < 0.012)]
    for _ in range(20):
        centre, radius = sphere(chosen)
        chosen = femur.vertices[np.abs(np.linalg.norm(femur.vertices - centre, axis=1) - radius) < 0.002]
    return centre, radius


def harrington_hip(anterior: np.ndarray, posterior: np.ndarray) -> np.ndarray:
    """The right hip centre in the pelvis's frame by Harrington et al. (2007, J Biomech 40:595), from bony spines (3,).

    Their frame: origin midway between the anterior spines, x forward in the plane of the spines, y up, z right.
    """
    width, depth = 2 * anterior[2], np.linalg.norm((anterior - posterior)[:2])
    forward = (anterior - posterior) * [1, 1, 0] / depth
    up = np.array([-forward[1], forward[0], 0.0])
    return np.asarray(
        anterior * [1, 1, 0]
        + forward * (-0.24 * depth - 0.0099)
        + up * (-0.30 * width - 0.0109)
        + np.array(RIGHT) * (0.33 * width + 0.0073)
    )


def bone_places(surfaces: dict[str, Surface]) -> dict[str, tuple[str, np.ndarray]]:
    """Body and place (3,) in metres of every landmark, by name."""
    anterior, posterior = spines(surfaces["r_pelvis"])
    level = Region(y=(posterior[1] - 0.005, posterior[1] + 0.005), z=(-0.01, 0.01))
    places = {
        "anterior_superior_iliac_spine": ("pelvis", anterior),
        "posterior_superior_iliac_spine": ("pelvis", posterior),
        "sacrum": ("pelvis", extreme_place([surfaces["sacrum"]], BACK, level) * [1, 1, 0]),
    }
    for name, extreme in EXTREMES.items():
        place = extreme_place([surfaces[mesh] for mesh in extreme.meshes], extreme.direction, extreme.region)
        places[name] = (extreme.body, place * [1, 1, 0] if name in MIDLINE else place)
    for name, vertebra in SPINOUS_PROCESSES.items():
        places[name] = ("torso", spinous_process(surfaces["hat_spine"], vertebra))
    return places


def main() -> None:
    """Print the places and the checks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("geometry", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    meshes = read_meshes(arguments.model)
    surfaces = {
        name: read_surface(arguments.geometry / f"{name}.vtp.ply", scale) for name, (_, scale) in meshes.items()
    }
    places = bone_places(surfaces)
    for name, (body, place) in places.items():
        print(f"{name:32} {body:10}" + "".join(f"{value:9.4f}" for value in place))
    print_checks(surfaces, places, read_joint_frames(arguments.model))
    for difference in differences(places, BONY_PLACES):
        print(difference)
    if arguments.pictures:
        draw(surfaces, meshes, places, arguments.pictures)


def differences(places: dict[str, tuple[str, np.ndarray]], table_file: Path) -> list[str]:
    """What the product's table says otherwise than these bones: a sentence a landmark."""
    table = tomllib.loads(table_file.read_text(encoding="utf-8"))
    found = []
    for name, row in table.items():
        body, place = places[name]
        if row["body"] != body or np.abs(place - row["bone_m"]).max() > ROUNDING_M:
            found.append(f"{table_file.name}: {name} is {row['body']} {row['bone_m']}; the bone says {body} {place}.")
    return found


def print_checks(
    surfaces: dict[str, Surface],
    places: dict[str, tuple[str, np.ndarray]],
    joints: dict[str, tuple[np.ndarray, np.ndarray]],
) -> None:
    """Print how the bones lie to the model's joints."""
    at = {name: place for name, (_, place) in places.items()}
    centre, radius = femoral_head(surfaces["r_femur"])
    print(f"\nfemoral head: centre {(1e3 * centre).round(1)} mm from the hip joint, radius {1e3 * radius:.1f} mm")
    line = at["anterior_superior_iliac_spine"] - at["posterior_superior_iliac_spine"]
    print(f"line of spines: {np.degrees(np.arctan2(-line[1], line[0])):.1f} degrees down forward")
    hip = harrington_hip(at["anterior_superior_iliac_spine"], at["posterior_superior_iliac_spine"])
    print(f"hip centre by Harrington less the model's: {(1e3 * (hip - joints['hip_r'][0])).round(1)} mm")
    for joint, first, second in (
        ("walker_knee_r", "lateral_femoral_epicondyle", "medial_femoral_epicondyle"),
        ("ankle_r", "lateral_malleolus", "medial_malleolus"),
        ("elbow_r", "lateral_humeral_epicondyle", "medial_humeral_epicondyle"),
    ):
        origin, axes = joints[joint]
        middle, across = (at[first] + at[second]) / 2, at[first] - at[second]
        axis = axes[:, np.abs(axes.T @ across).argmax()]
        axis = axis * np.sign(axis @ across)
        off = (middle - origin) - axis * (axis @ (middle - origin))
        angle = np.degrees(np.arccos(axis @ across / np.linalg.norm(across)))
        print(
            f"{joint}: midpoint {(1e3 * off).round(1)} mm off the axis, {1e3 * np.linalg.norm(across):.1f} mm apart, "
            f"their line {angle:.1f} degrees from the axis {axis.round(3)}"
        )


def draw(
    surfaces: dict[str, Surface],
    meshes: dict[str, tuple[str, np.ndarray]],
    places: dict[str, tuple[str, np.ndarray]],
    folder: Path,
) -> None:
    """Draw each body's bones with its places, seen from the right, from the front and from above."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.collections import PolyCollection

    folder.mkdir(parents=True, exist_ok=True)
    for body in dict.fromkeys(body for body, _ in places.values()):
        figure, panes = plt.subplots(1, 3, figsize=(30, 14))
        corners = np.concatenate([surfaces[m].vertices[surfaces[m].triangles] for m in meshes if meshes[m][0] == body])
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        steep = np.abs(normals) / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-15)
        for pane, (right, up, depth), title in zip(
            panes,
            ((0, 1, 2), (2, 1, 0), (2, 0, 1)),
            ("from the right", "from the front, mirrored", "from above"),
            strict=True,
        ):
            order = corners[:, :, depth].mean(axis=1).argsort()
            shades = [(0.35 + 0.6 * value,) * 3 for value in steep[order, depth]]
            pane.add_collection(PolyCollection(corners[order][:, :, [right, up]], facecolors=shades))
            for name, (where, place) in places.items():
                if where == body:
                    pane.plot(place[right], place[up], "o", color="red", markersize=5)
                    pane.annotate(name, (place[right], place[up]), color="blue", fontsize=13)
            pane.autoscale()
            pane.set_aspect("equal")
            pane.set_title(f"{body} {title}")
            pane.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(folder / f"{body}.png", dpi=45)
        plt.close(figure)


if __name__ == "__main__":
    main()
