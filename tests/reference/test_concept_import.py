"""Results that CLIP-Dissect itself wrote, imported: the counts are those that are known."""

from xai_assets.dissection.comparison import unique_concepts
from xai_assets.interop.concept_files import read_concept_file
from xai_assets.resources.warehouse import Warehouse


def test_resnet18_has_374_concepts_68_124_and_278_by_layer(reference_data, tmp_path):
    table = read_concept_file(reference_data / "concepts" / "resnet18_imagenet.csv", "resnet18")
    expected = {"all": 374, "layer2": 68, "layer3": 124, "layer4": 278}
    assert unique_concepts(table).set_index("layer")["unique"].to_dict() == expected
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.replace("published", {"unit_concepts": table})
    layers = warehouse.read("published")["concepts_by_layer"]
    assert layers["unique_concepts"].tolist() == list(expected.values())
    assert layers["units"].tolist() == [896, 128, 256, 512]


def test_a_run_with_top_images_is_read_whole(reference_data):
    table = read_concept_file(reference_data / "clip_dissect" / "descriptions_resnet18.csv", "resnet18")
    images = set((reference_data / "clip_dissect" / "images.txt").read_text().split())
    assert len(table) == 896 and table["concept"].notna().all()
    named = [name for row in table["top_images"] for name in row.split(";")]
    assert len(named) == 5 * 896 and set(named) <= images
