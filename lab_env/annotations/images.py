"""What is known of an image without looking at it: its size."""

from pathlib import Path

from lab_env.annotations.errors import AnnotationError
from lab_env.annotations.tasks import image_path


def image_size(folder: Path, value: str) -> tuple[int, int]:
    """Return width and height of an image of a task, from the head of its file."""
    path = image_path(folder, value)
    if path is None:
        zh = f"{folder} 里没有图片“{value[:60]}”。请检查任务文件和图片文件夹。"
        en = f'There is no image "{value[:60]}" in {folder}. Check tasks and folder.'
        raise AnnotationError(zh, en)
    # Loaded here: annotating text needs no image library.
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return image.size
    except (UnidentifiedImageError, OSError, ValueError) as error:
        zh = f"{value[:60]} 不是能打开的图片。请换成 PNG 或 JPEG。"
        en = f"{value[:60]} is no image that opens. Put a PNG or JPEG in its place."
        raise AnnotationError(zh, en) from error
