"""Set-up files of OpenSim's tools, as XML text with relative file names: each can be rerun in OpenSim itself.

Pure text: nothing here needs OpenSim.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from pipeline.records import CoordinateTask, Measurement
from pipeline.session.recipe import StaticOptimizationSettings

_DOCUMENT_VERSION = "40500"


def write_setup(path: Path, tool: ElementTree.Element) -> None:
    """Write one tool's element as an OpenSim document."""
    document = ElementTree.Element("OpenSimDocument", Version=_DOCUMENT_VERSION)
    document.append(tool)
    ElementTree.indent(document)
    ElementTree.ElementTree(document).write(path, encoding="UTF-8", xml_declaration=True)


def _leaf(parent: ElementTree.Element, tag: str, value: object) -> None:
    ElementTree.SubElement(parent, tag).text = _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _element(tag: str, name: str, **leaves: object) -> ElementTree.Element:
    element = ElementTree.Element(tag, name=name)
    for key, value in leaves.items():
        _leaf(element, key, value)
    return element


def _objects(tag: str, items: Iterable[ElementTree.Element], name: str = "") -> ElementTree.Element:
    element = ElementTree.Element(tag, name=name)
    ElementTree.SubElement(element, "objects").extend(items)
    return element


def _range(start_s: float, end_s: float) -> str:
    return f"{start_s!r} {end_s!r}"


def ik_tasks(marker_weights: Mapping[str, float], coordinate_tasks: Sequence[CoordinateTask]) -> ElementTree.Element:
    """The tasks of an inverse-kinematics problem: markers to track, coordinates to hold."""
    tasks = [
        _element("IKMarkerTask", name, apply=True, weight=float(weight)) for name, weight in marker_weights.items()
    ]
    for task in coordinate_tasks:
        kind = "default_value" if task.value is None else "manual_value"
        value = 0.0 if task.value is None else float(task.value)
        tasks.append(
            _element(
                "IKCoordinateTask",
                task.name,
                apply=True,
                weight=float(task.weight),
                value_type=kind,
                value=value,
            )
        )
    return _objects("IKTaskSet", tasks)


def _measurement(measurement: Measurement) -> ElementTree.Element:
    element = _element("Measurement", measurement.name, apply=True)
    pairs = (_element("MarkerPair", "", markers=f"{first} {second}") for first, second in measurement.pairs)
    element.append(_objects("MarkerPairSet", pairs))
    scales = (_element("BodyScale", body, axes=" ".join(axes)) for body, axes in measurement.scales)
    element.append(_objects("BodyScaleSet", scales))
    return element


def scale_setup(
    *,
    mass_kg: float,
    preserve_mass_distribution: bool,
    measurements: Sequence[Measurement],
    marker_file: str,
    end_s: float,
) -> ElementTree.Element:
    """A ScaleTool that sizes segments from the frames of `marker_file` between 0 and `end_s`."""
    tool = _element("ScaleTool", "scale", mass=float(mass_kg))
    scaler = _element(
        "ModelScaler",
        "",
        apply=True,
        scaling_order="measurements",
        marker_file=marker_file,
        time_range=_range(0.0, end_s),
        preserve_mass_distribution=preserve_mass_distribution,
    )
    scaler.append(_objects("MeasurementSet", (_measurement(m) for m in measurements)))
    tool.extend((scaler, _element("MarkerPlacer", "", apply=False)))
    return tool


def ik_setup(
    *,
    model_file: str,
    marker_file: str,
    tasks: ElementTree.Element,
    accuracy: float,
    time_range_s: tuple[float, float],
    output_file: str,
) -> ElementTree.Element:
    """An InverseKinematicsTool that strictly enforces constraints and reports where its markers ended."""
    tool = _element(
        "InverseKinematicsTool",
        "trial",
        model_file=model_file,
        marker_file=marker_file,
        accuracy=float(accuracy),
        constraint_weight="Inf",
        time_range=_range(*time_range_s),
        report_errors=False,
        report_marker_locations=True,
        results_directory=".",
        output_motion_file=output_file,
    )
    tool.append(tasks)
    return tool


def external_loads(data_file: str, bodies: Mapping[str, str]) -> ElementTree.Element:
    """ExternalLoads from columns `<prefix>_f|p|m_x|y|z` of `data_file`, in the ground frame: prefix -> body."""
    forces = (
        _element(
            "ExternalForce",
            prefix,
            applied_to_body=body,
            force_expressed_in_body="ground",
            point_expressed_in_body="ground",
            force_identifier=f"{prefix}_f_",
            point_identifier=f"{prefix}_p_",
            torque_identifier=f"{prefix}_m_",
        )
        for prefix, body in bodies.items()
    )
    loads = _objects("ExternalLoads", forces, name="ground_reactions")
    _leaf(loads, "datafile", data_file)
    return loads


def id_setup(
    *,
    model_file: str,
    coordinates_file: str,
    loads_file: str,
    lowpass_hz: float | None,
    time_range_s: tuple[float, float],
    output_file: str,
) -> ElementTree.Element:
    """An InverseDynamicsTool without the muscles; `lowpass_hz` None leaves the coordinates as they are."""
    return _element(
        "InverseDynamicsTool",
        "trial",
        model_file=model_file,
        time_range=_range(*time_range_s),
        forces_to_exclude="Muscles",
        external_loads_file=loads_file,
        coordinates_file=coordinates_file,
        lowpass_cutoff_frequency_for_coordinates=-1.0 if lowpass_hz is None else float(lowpass_hz),
        output_gen_force_file=output_file,
        results_directory=".",
    )


def so_setup(
    *,
    model_file: str,
    coordinates_file: str,
    loads_file: str,
    lowpass_hz: float | None,
    time_range_s: tuple[float, float],
    step_interval: int,
    settings: StaticOptimizationSettings,
) -> ElementTree.Element:
    """An AnalyzeTool that solves one sample in `step_interval`, with the model's own actuators."""
    start_s, end_s = time_range_s
    tool = _element(
        "AnalyzeTool",
        "trial",
        model_file=model_file,
        replace_force_set=False,
        results_directory=".",
        output_precision=17,
        initial_time=start_s,
        final_time=end_s,
        solve_for_equilibrium_for_auxiliary_states=False,
        external_loads_file=loads_file,
        coordinates_file=coordinates_file,
        lowpass_cutoff_frequency_for_coordinates=-1.0 if lowpass_hz is None else float(lowpass_hz),
    )
    optimization = _element(
        "StaticOptimization",
        "StaticOptimization",
        on=True,
        start_time="-Inf",
        end_time="Inf",
        step_interval=step_interval,
        in_degrees=False,
        use_model_force_set=True,
        activation_exponent=float(settings.activation_exponent),
        use_muscle_physiology=settings.use_muscle_physiology,
        optimizer_convergence_criterion=float(settings.convergence_criterion),
        optimizer_max_iterations=settings.max_iterations,
    )
    tool.append(_objects("AnalysisSet", [optimization]))
    return tool
