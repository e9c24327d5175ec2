"""A run leaves Python: ONNX by MONAI's own command, with the logits that the network gives."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from monai_tumor.bundles.find import config_file


@pytest.mark.filterwarnings("ignore")
def test_monais_onnx_export_of_a_run_gives_its_logits(trained, tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    from monai.bundle import onnx_export

    path = tmp_path / "model.onnx"
    onnx_export(
        net_id="network_def",
        filepath=str(path),
        ckpt_file=str(trained / "models" / "model.pt"),
        meta_file=str(trained / "configs" / "metadata.json"),
        config_file=str(config_file(trained, "inference")),
        input_shape=[1, 2, 64, 64],
        bundle_root=str(trained),
    )
    given = torch.rand(1, 2, 64, 64)
    session = runtime.InferenceSession(path)
    [logits] = session.run(None, {session.get_inputs()[0].name: given.numpy()})
    network = _network(trained)
    assert np.allclose(logits, network(given).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("classes", [3, 4])
def test_monais_check_of_input_and_output_passes_where_the_metadata_is_right(trained, tmp_path, classes):
    from monai.bundle import verify_net_in_out

    metadata = json.loads((trained / "configs" / "metadata.json").read_text())
    output = metadata["network_data_format"]["outputs"]["pred"]
    assert output["num_channels"] == 3
    (tmp_path / "metadata.json").write_text(
        json.dumps(
            {
                **metadata,
                "network_data_format": {
                    **metadata["network_data_format"],
                    "outputs": {"pred": {**output, "num_channels": classes}},
                },
            }
        )
    )
    named = {"meta_file": str(tmp_path / "metadata.json"), "config_file": str(config_file(trained, "inference"))}
    if classes == 3:
        assert verify_net_in_out(net_id="network_def", bundle_root=str(trained), device="cpu", **named) is None
    else:
        with pytest.raises(ValueError, match="output channel number"):
            verify_net_in_out(net_id="network_def", bundle_root=str(trained), device="cpu", **named)


def _network(run):
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config(str(config_file(run, "inference")))
    network = parser.get_parsed_content("network_def")
    network.load_state_dict(torch.load(run / "models" / "model.pt", weights_only=True))
    return network.eval()
