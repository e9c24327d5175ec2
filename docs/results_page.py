"""The page of measured results, made from the files that the scripts in ``benchmarks/`` wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monai_tumor.comparison.table import interval_cell, markdown

HEAD = """# Results

<!-- Written by docs/generate.py from benchmarks/results/*.json; do not edit. -->

Each figure stands below the command that made it. Run the command, and the file behind the table is written anew."""


def results_page(folder: Path) -> str:
    """Return the page for the result files in ``folder``."""
    parts = [HEAD]
    for name, section in SECTIONS.items():
        path = folder / f"{name}.json"
        if path.is_file():
            parts.append(section(json.loads(path.read_text(encoding="utf-8"))))
    return "\n\n".join(parts) + "\n"


def _lgg(found: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {entry['tumour_slices']} | {_number(entry['dice'], 3)} | {entry['empty_slices']} "
        f"| {_number(entry['false_positive_px'], 1)} |"
        for name, entry in found["patients"].items()
    ]
    command = (
        "python benchmarks/brain_lgg_folds.py --dataset-dir kaggle_3m "
        f"--folds {found['folds']} --epochs {found['epochs']} --channels {found['channels']} --lr {found['lr']:g}"
    )
    return "\n".join(
        [
            f"## Brain MRI: {len(rows)} patients of the LGG set, {found['folds']} folds by patient",
            f"\n```bash\n{command}\n```\n",
            f"Network `{found['network']}`, 256x256, random initial weights. Every patient is tested once, by a network that "
            "saw neither the patient in training nor in choosing the epoch. Dice is over tumour slices (at threshold 0.5); "
            "the area marked by mistake is over the patient's empty slices. Means are over patients, each counting once.\n",
            f"- Dice: {found['dice']['text']}",
            f"- area marked by mistake on an empty slice, in pixels of 65,536: {found['false_positive_px']['text']}\n",
            "![Dice of each slice and patient](images/brain-lgg-folds.svg)\n",
            "| patient | tumour slices | Dice | empty slices | marked by mistake, px |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "\nA dozen patients are far too few to train on. In FG_A60K, HT_7877 and HT_A616 the set replaced missing "
            "sequences by FLAIR, so that all three channels are equal (in DU_8165 two of them): the colours that the network "
            "relies on are not there, and it finds nothing. HT_7860 has all sequences and is missed too.",
        ]
    )


def _train_step(found: dict[str, Any]) -> str:
    plain = found["per_step"]["plain"]
    rows = [
        f"| {name} | {step['wall_s']:.2f} | {step['cpu_s']:.2f} | {plain['wall_s'] / step['wall_s']:.2f} "
        f"| {plain['cpu_s'] / step['cpu_s']:.2f} |"
        for name, step in found["per_step"].items()
    ]
    return "\n".join(
        [
            "## A training step",
            "\n```bash\npython benchmarks/train_step.py\n```\n",
            f"`{found['network']}` with a ResNet-34 encoder, {found['rows']}x{found['rows']}, batch {found['batch']}, "
            f"{found['threads'] or found['hardware']['threads']} threads, fresh process for each way and round; median of "
            f"{found['steps']} steps after {found['warm_up']} in {found['rounds']} rounds. `plain` is the usual PyTorch loop "
            f"in float32, `fp32` and `bf16` are our trainer. {_machine(found)}\n",
            "| way | wall, s | CPU, s | times faster, wall | times faster, CPU |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "\nThe gain of bf16 depends on the processor: with AMX instructions it is about twice that of AVX-512 alone.",
        ]
    )


def _around(found: dict[str, Any]) -> str:
    ours = found["ms_per_image"]["ours"]
    keys = ("whole_epoch_cpu_ms", "outside_network_cpu_ms", "outside_network_and_loss_cpu_ms")
    rows = [
        f"| {name} | {' | '.join(f'{way[key]:.2f} ({way[key] / ours[key]:.1f}x)' for key in keys)} |"
        for name, way in found["ms_per_image"].items()
    ]
    return "\n".join(
        [
            "## What an epoch costs around the network",
            "\n```bash\npython benchmarks/around_the_network.py\n```\n",
            "CPU milliseconds for each 256x256 grey image of a later epoch, training and validation together, with a network "
            f"of one 1x1 convolution; {found['threads']} thread, {found['rounds']} rounds in fresh processes, "
            f"{ours['images']} images. "
            "`notebook` reads and augments from disk in a plain loop, `monai` is MONAI's CacheDataset with its dictionary "
            f"transforms and engines. {_machine(found)}\n",
            "| way | whole epoch | without the network | without network and loss |",
            "| --- | --- | --- | --- |",
            *rows,
        ]
    )


def _pairs(found: dict[str, Any]) -> str:
    first, spread = found["leak"]["random"]["first_seed"], found["leak"]["random"]["held_out"]
    own, counts = found["leak"]["own"], found["counts"]
    return "\n".join(
        [
            f"## Near duplicates: {counts['images']} images of BUSI",
            "\n```bash\npython benchmarks/listed_pairs.py DIR --dataset busi --pairs near_duplicates.csv\n```\n",
            f"The list has {found['recall']['of']} pairs that were found before in another way (a perceptual hash, then "
            f"matched landmarks). Found: {found['pairs']}; the {counts['images']} images make {counts['clusters']} clusters.\n",
            f"- recall: {_share(found['recall'])}",
            f"- precision: {_share(found['precision'])}",
            f"- cases that contradict another case of the same frame: {found['contradictory']} of {counts['images']}",
            f"- a random split, image by image (70/20/10, seed 0): {first['held_out']} of {first['of_held_out']} images held "
            f"out show a frame that is in training too ({first['held_out_percent']} %); over 100 seeds "
            f"{spread['mean_percent']} % on average, {spread['least_percent']} to {spread['most_percent']} %",
            f"- `monai-tumor data split`: {own['held_out']} of {own['of_held_out']}, with {own['quarantine']} in quarantine",
        ]
    )


def _marks(found: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {folder['pictures']} | {kind} | {_share(entry['recall'])} | {_share(entry['others_flagged'])} |"
        for name, folder in found["folders"].items()
        for kind, entry in folder["kinds"].items()
    ]
    return "\n".join(
        [
            "## Burned-in marks",
            "\n```bash\npython benchmarks/burned_in_marks.py DIR --listed listed.json\n```\n",
            "The lists were made by looking at a part of the images, so what is flagged and not listed is mostly right: "
            "looked at one by one in BUSI, 63 of 64 texts (0.92 to 1.00), and 14 of 14 callipers (0.78 to 1.00). Where a "
            "folder has no list, what is flagged is given only. Text that gives a diagnosis away, ages and dates are read by "
            "the optional reader.\n",
            "| folder | images | kind | found of those listed | flagged of the others |",
            "| --- | --- | --- | --- | --- |",
            *rows,
        ]
    )


def _near_duplicates(found: dict[str, Any]) -> str:
    sizes, measured = found["sizes"], found["measured"]
    rows = [
        f"| {name} | {entry['wall_s']:.0f} | {entry['cpu_s']:.0f} | {entry['peak_mb']:.0f} | {entry['recall']:.3f} |"
        for name, entry in measured.items()
        if "wall_s" in entry
    ]
    folder = [measured[f"folder: {count} thread(s)"]["pictures_per_s"] for count in (1, 2)]
    return "\n".join(
        [
            f"## Near duplicates among {sizes['pictures']:,} pictures",
            "\n```bash\npython benchmarks/near_duplicates.py\n```\n",
            f"Synthetic hashes of 256 bits with {sizes['planted']:,} planted neighbours at up to {sizes['distance']} bits, and "
            f"{sizes['descriptors']} landmarks a picture, of which planted pairs share {sizes['shared']} with up to "
            f"{sizes['flipped']} bits flipped; random ones, and drawn from phantoms. Recall is the share of planted pairs that "
            "become candidates. `hash_pairs` looks at all pairs and finds the same ones as brute force "
            f"(XOR and counting bits): {found['hash_pairs_equal_brute_force']}. Medians of {found['rounds']} fresh processes, "
            f"{found['threads']} threads. {_machine(found)}\n",
            "| way | wall, s | CPU, s | peak memory, MiB | recall |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            f"\nBefore that every picture is read and gets its fingerprint: {folder[0]:.0f} pictures (470x560) a second with "
            f"one thread, {folder[1]:.0f} with two. A proof takes {measured['folder: 1 thread(s)']['ms_per_proof']:.0f} ms.",
        ]
    )


def _coverage(found: dict[str, Any]) -> str:
    counts = list(next(iter(found["populations"].values()))["groups"])
    ways = {"ours": "`mean_interval`", "groups": "percentile, by group", "cases": "percentile, by case"}
    rows = [
        f"| {entry['about']} | {label} | "
        + " | ".join(_percent(entry["groups"][count].get(way, {}).get("share")) for count in counts)
        + " |"
        for entry in found["populations"].values()
        for way, label in ways.items()
    ]
    many = [
        f"{found['populations'][name]['about']}: {_percent(ends['lowest'])} to {_percent(ends['highest'])}"
        for name, ends in found["ours"]["from_30_groups"].items()
    ]
    alike = [f"{entry['correlation']:.2f}" for entry in found["populations"].values()]
    return "\n".join(
        [
            "## How often a 95 % interval holds the truth",
            "\n```bash\npython benchmarks/interval_coverage.py\n```\n",
            f"Simulated studies, {found['repetitions']:,} for each number of groups: groups of unequal size (1 to 20 cases, "
            f"{found['cases_per_group']:.1f} on average) that tells nothing about the values, "
            f"cases alike within a group (correlation {', '.join(alike)} in the order of the table), "
            "a mean that is known. In per cent of the studies; a figure of 95 is uncertain by 1.0. "
            "`mean_interval` gives none below ten groups.\n",
            f"| values | interval | {' | '.join(f'{count} groups' for count in counts)} |",
            f"| --- | --- |{' ---: |' * len(counts)}",
            *rows,
            "\n`mean_interval` from 30 groups up:\n",
            *[f"- {line}" for line in many],
            "\nWith fewer groups it holds the mean of Dice somewhat too seldom and shares too often. The mean of distances "
            "with a long tail is the hardest: read their median too. Resampling cases as if they were independent is wrong "
            "by far, however many groups there are.",
        ]
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _share(entry: dict[str, Any]) -> str:
    if not entry.get("of"):
        return "-"
    low, high = entry["interval"]
    return f"{entry['hits']} of {entry['of']} ({low:.2f} to {high:.2f})"


def _machine(found: dict[str, Any]) -> str:
    hardware, load = found["hardware"], found["load_average"]
    instructions = ", ".join(hardware.get("bf16_instructions", [])) or "none"
    return (
        f"Machine: {hardware['machine']}, {hardware['cores']} cores, {hardware['capability']}, bfloat16 instructions: "
        f"{instructions}; load while measuring {load['lowest']:g} to {load['highest']:g}; torch {found['versions']['torch']}."
    )


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _report(found: dict[str, Any]) -> str:
    opened = found["open_s"]
    seconds = (
        f"Chromium draws it in {opened['report']:.1f} s, an empty page in {opened['empty']:.1f} s." if opened else ""
    )
    return "\n".join(
        [
            "## The report of an evaluation: size and time",
            "\n```bash\npython benchmarks/report_page.py\n```\n",
            f"{found['cases']:,} phantom cases, of which {found['misses']} were missed: {found['mb']:.1f} MB with "
            f"{found['pictures']} pictures, written in {found['build_s']:.1f} s. {seconds} Medians of {found['rounds']} "
            "rounds.",
        ]
    )


def _precision(found: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {entry['mean']:+.4f} ({entry['low']:+.4f} to {entry['high']:+.4f}) "
        f"| {_mean_of(entry, 'fp32'):.3f} | {_mean_of(entry, 'bf16'):.3f} "
        f"| {entry['cpu_seconds']['fp32'] / entry['cpu_seconds']['bf16']:.2f} |"
        for name, entry in found["networks"].items()
    ]
    return "\n".join(
        [
            "## bfloat16 against float32",
            f"\n```bash\npython benchmarks/precision.py --dataset-dir busi --epochs {found['epochs']}\n```\n",
            f"BUSI at {found['size']}x{found['size']}, one leak-free split, {found['seeds']} seeds, {found['epochs']} epochs "
            "each; a pair differs in precision only. Mean Dice over lesion cases of the test part; the interval is Student's, "
            "over the differences of the pairs.\n",
            "| network | bf16 minus fp32 (95 % interval) | Dice fp32 | Dice bf16 | CPU time, fp32 / bf16 |",
            "| --- | --- | --- | --- | --- |",
            *rows,
        ]
    )


def _mean_of(entry: dict[str, Any], precision: str) -> float:
    dice = [pair[precision] for pair in entry["dice"]]
    return float(sum(dice) / len(dice))


def _leak(found: dict[str, Any]) -> str:
    rows = [
        f"| {name} | {entry['by_image']['text']} | {entry['by_cluster']['text']} | {entry['difference']['text']} |"
        for name, entry in found["cases"].items()
    ]
    return "\n".join(
        [
            "## What a leak buys: BUSI divided by image and by cluster of near duplicates",
            f"\n```bash\npython benchmarks/leak.py --dataset-dir busi --epochs {found['epochs']}\n```\n",
            f"Recipe `fast`, {found['epochs']} epochs, {found['folds']} folds of each division: every image is tested once "
            "in both. Dice over lesion cases; intervals by cluster.\n",
            "| cases | divided by image | divided by cluster | difference |",
            "| --- | --- | --- | --- |",
            *rows,
        ]
    )


_WAYS = {
    "fast": "recipe `fast`, 60 minutes",
    "fast_10": "recipe `fast`, 10 minutes",
    "fast_2": "recipe `fast`, 2 minutes",
    "twin": "its network and weights in a plain loop, 30 minutes",
    "notebook": "U-Net++ ResNet-34 from random weights in a plain loop, 60 minutes",
}


def _against(found: dict[str, Any]) -> str:
    rows = [f"| {words} | {found['curves'][name][-1]['dice']['text']} |" for name, words in _WAYS.items()]
    compared = {
        "`fast` after 2 minutes, minus the notebook way after 60": "fast_2_minus_notebook",
        "`fast` after 10 minutes, minus the plain loop with its network after 30": "fast_10_minus_twin",
        "`fast` after 60 minutes, minus the notebook way after 60": "fast_minus_notebook",
    }
    return "\n".join(
        [
            "## Against the notebook way, at equal time",
            "\n```bash\npython benchmarks/against_notebook.py --dataset-dir busi --processor-time\n```\n",
            "One leak-free division of BUSI, stated beforehand; both plain loops are PyTorch with albumentations in float32. "
            "Minutes are those of two quiet cores: each way trained on one thread for the processor time that does the same "
            "steps. Dice over the lesion cases of the test part; intervals by cluster.\n",
            "| way | Dice at its end |",
            "| --- | --- |",
            *rows,
            "\n![Dice over minutes](images/against-notebook.svg)\n",
            *(f"- {words}: {found[name]['text']}" for words, name in compared.items()),
        ]
    )


def _compared(title: str, words: str) -> Callable[[dict[str, Any]], str]:
    """Return the section of a comparison that the toolkit made itself."""

    def section(found: dict[str, Any]) -> str:
        tables = markdown(found).split("\n", 1)[1].strip()
        return f"## {title}\n\n```bash\n{found['command']}\n```\n\n{words}\n\n{tables}"

    return section


_PROCESSOR_MINUTES = (
    "13.2 processor minutes of one thread for each training do what 8 minutes of two quiet cores do; "
    "`benchmarks/cpu_budget.py` counts them, because the machine was shared."
)


def _real_run(title: str, words: str) -> Callable[[dict[str, Any]], str]:
    """Return the section of a run on real images, internal and external side by side."""

    def section(found: dict[str, Any]) -> str:
        rows = [
            f"| {one['title']} | {one['lesion_cases']['dice']['text']} | {one['lesion_cases']['iou']['mean']:.3f} "
            f"| {one['lesion_cases']['missed']} of {one['lesion_cases']['n']} | {_specificity(one)} "
            f"| {_ece(one, 'before')} | {_ece(one, 'after')} |"
            for one in found["evaluations"]
        ]
        minutes = found["trained"]["cpu_seconds"] / 60
        return "\n".join(
            [
                f"## {title}",
                "\n```bash\n" + "\n".join(found["commands"]) + "\n```\n",
                f"{words} All trainings together took {minutes:.0f} minutes of processor time.\n",
                "| evaluation | Dice of lesion cases | IoU | missed | specificity | ECE of pixels | with temperature |",
                "| --- | --- | --- | --- | --- | --- | --- |",
                *rows,
            ]
        )

    return section


def _specificity(one: dict[str, Any]) -> str:
    free = one["lesion_free_cases"]
    return free["specificity"]["text"] if free["n"] else "no lesion-free case"


def _ece(one: dict[str, Any], name: str) -> str:
    found = one["calibration"][name]
    return "-" if found is None else f"{found['ece']:.4f}"


def _diagnosis(found: dict[str, Any]) -> str:
    lines = [
        "## Diagnosis: what a mask brings a classifier, and another hospital",
        "\n```bash\n" + "\n".join(found["commands"]) + "\n```\n",
        "A third of BUSI (262 images; those with contradictory labels are left out), five folds by near-duplicate cluster. The "
        "backbone is EfficientNet-lite0 with ImageNet weights at 192x192, the same seed, folds and processor time for every "
        "way. Masks are predicted by networks that saw neither the image's group nor the tested fold. All trainings together "
        f"took {found['cpu_minutes']} minutes of processor time.\n",
        found["table"],
    ]
    if found["sealed"]:
        lines += [
            "\nA predicted mask brings nothing that 229 images could show; an expert's mask does, and nobody has one for a new "
            "image. A crop to the predicted mask is no better than the image.\n",
            "Sealed: the five classifiers of a way together on BUS-BRA (another hospital; no normal images), masks by the five "
            "segmentation networks above. What is called calibrated is a copy of the way with its "
            "point chosen anew on 40 local "
            "cases and stated on the "
            "others. The tests were run again with the same weights after the distance of *out of place* had been moved to "
            "another layer, and nothing else changed.\n",
            "| way | threshold chosen on | AUROC malignant / benign | sensitivity | specificity | referred | wrong among the "
            "answered | out of place |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *(row for one in found["sealed"] for row in _sealed_rows(one)),
            "",
            *(
                f"- {way} minus image-only there: AUROC {interval_cell(one['auroc']['difference'], '+.3f')} "
                f"(p = {one['auroc']['permutation']['p']:.4f})"
                for way, one in found["sealed_differences"].items()
            ),
            "\nThe frozen threshold calls nearly everything malignant there, and the probabilities are of no use: these "
            "classifiers do "
            "not carry over from a third of BUSI to another scanner. They say so themselves: most of these images are out of "
            "place. Here the mask does help the order of the cases. Forty local cases mend the calibration, not the order.",
        ]
    return "\n".join(lines)


def _sealed_rows(one: dict[str, Any]) -> list[str]:
    alarms = "-" if one["alarms"] is None else interval_cell(one["alarms"])
    figures = [
        interval_cell(one["auroc"]),
        interval_cell(one["point"]["sensitivity"]),
        interval_cell(one["point"]["specificity"]),
    ]
    rest = [interval_cell(one["referred"]), interval_cell(one["error"]), alarms]
    cells = [one["way"], one["point"]["chosen_on"], *figures, *rest]
    rows = [f"| {' | '.join(cells)} |"]
    if "before" in one:
        own = one["before"]
        shares = [interval_cell(own["sensitivity"]), interval_cell(own["specificity"])]
        cells = [one["way"], own["chosen_on"], "the same", *shares, "", "", ""]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _out_of_place(found: dict[str, Any]) -> str:
    rows = [f"| {name} | {one['flagged']} of {one['n']} |" for name, one in found["kinds"].items()]
    return "\n".join(
        [
            "## Out of place: what is no breast ultrasound",
            "\n```bash\npython benchmarks/out_of_place.py --run CLASSIFIER --bundle SEGMENTATION --other NAME=DIR\n```\n",
            "The distance of an image's features from those of the training images, against the distance that 2 % of images of "
            f"the same kind exceed. Images of its own kind that were called out of place ({found['own_part']}, "
            f"{found['dataset']}): {found['own']['text']}. The layer whose features are compared was "
            f"chosen with these images in "
            "view: in "
            "the last one, 18 of 20 of noise and none of blanks and photographs were noticed.\n",
            "| images | called out of place |",
            "| --- | --- |",
            *rows,
        ]
    )


SECTIONS = {
    "listed_pairs": _pairs,
    "near_duplicates": _near_duplicates,
    "interval_coverage": _coverage,
    "burned_in_marks": _marks,
    "real_run_breast_busi": _real_run(
        "Breast: BUSI out-of-fold, then sealed on BUS-BRA",
        "Recipe `fast` on a third of BUSI (262 images), five folds by near-duplicate cluster; every image is tested once by "
        "the network that saw neither it nor a copy of it. Then all five together on 118 images of BUS-BRA, another hospital, "
        "once. The temperature was fitted to single networks; the mean of five is less sure of itself already, and with it "
        "becomes too unsure.",
    ),
    "real_run_brain_lgg": _real_run(
        "Brain: slices of twelve LGG patients out-of-fold, then sealed on another set",
        "Recipe `fast`, four folds by patient. Then all four together, once, on contrast-enhanced T1 slices from elsewhere, "
        "which have neither the sequences nor the tumours that they were trained on: two thirds are missed. (The first time "
        "the slices were read as a plain folder, each a group: the same Dice, 0.129 to 0.386. This is the same test on a copy "
        "of the run, with neighbouring slices in one group; nothing else was changed.)",
    ),
    "diagnosis": _diagnosis,
    "out_of_place": _out_of_place,
    "brain_lgg_folds": _lgg,
    "train_step": _train_step,
    "around_the_network": _around,
    "report_page": _report,
    "against_notebook": _against,
    "compare_networks": _compared(
        "Breast: four networks from random weights, five folds",
        f"{_PROCESSOR_MINUTES}\n\n![Cases from the worst to the best](images/compare-networks.png)",
    ),
    "fast_ingredients": _compared(
        "Breast: what each ingredient of `fast` brings",
        f"The recipe, and the recipe without one ingredient, on three folds. {_PROCESSOR_MINUTES}",
    ),
    "precision": _precision,
    "leak": _leak,
}
